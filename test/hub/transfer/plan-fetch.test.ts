import { mkdir, statfs, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { fetchFiles } from "../../../src/hub/transfer/fetch-files.ts";
import { checkDisk, planFetch } from "../../../src/hub/transfer/plan-fetch.ts";
import { openRepository } from "../../../src/hub/cache/repository.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { LoopbackHub } from "../loopback-hub.ts";
import { testHub } from "../test-hub.ts";

describe("planFetch", () => {
  test("counts what is there, whole or in part, and asks the Hub for nothing", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { "config.json": "{}", "model.safetensors": "weights" } });
    server.addDataset("org/rows", { files: { "rows.csv": "a,b" } });
    const hub = await testHub(server, await temporaryFolder());
    const model = await openRepository(hub, "model", { name: "org/name", revision: "main" });
    const rows = await openRepository(hub, "dataset", { name: "org/rows", revision: "main" });
    const wanted = [model, rows].map((repository) => ({ repository, files: repository.files }));
    const before = server.requests.length;

    const { bavail, bsize } = await statfs(hub.cache.replace(/cache$/, ""));
    const { freeBytes, ...plan } = await planFetch(hub, wanted);
    expect(Math.abs(freeBytes - bavail * bsize)).toBeLessThan(1e9);
    expect(plan).toEqual({
      repositories: [
        { name: "org/name", commit: model.commit, files: 2, bytes: 9, presentBytes: 0 },
        { name: "org/rows", commit: rows.commit, files: 1, bytes: 3, presentBytes: 0 },
      ],
      bytes: 12,
      presentBytes: 0,
      missingBytes: 12,
      cache: hub.cache,
    });
    expect(server.requests).toHaveLength(before);

    await fetchFiles(hub, model, model.files.slice(0, 1));
    const blobs = join(hub.cache, "models--org--name/blobs");
    await mkdir(blobs, { recursive: true });
    await writeFile(join(blobs, `${model.files[1]?.sha256}.evomerge.incomplete`), "wei");
    expect(await planFetch(hub, wanted)).toMatchObject({ bytes: 12, presentBytes: 5, missingBytes: 7 });
  });
});

describe("checkDisk", () => {
  const plan = { repositories: [], bytes: 2e10, presentBytes: 2e9, missingBytes: 1.8e10, cache: "/cache" };

  test("accepts what fits to the byte", () => {
    checkDisk({ ...plan, freeBytes: 1.8e10 });
  });

  test("says how much is missing where", () => {
    expect(() => checkDisk({ ...plan, freeBytes: 1.5e9 })).toThrow(
      new UserError(
        "18.0 GB are to be fetched to /cache, where 1.5 GB are free; " +
          "make room, or set HF_HUB_CACHE to a folder on a larger disk",
      ),
    );
  });
});
