import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { fetchFiles } from "../../../src/hub/transfer/fetch-files.ts";
import { openRepository } from "../../../src/hub/cache/repository.ts";
import { isSafePath } from "../../../src/files/safe-path.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { type Hostility, ofTheContent, ofTheDescription, ofTheFiles, WEIGHTS } from "../hostile-answers.ts";
import { LoopbackHub } from "../loopback-hub.ts";
import { testHub } from "../test-hub.ts";

/** What the process may hold more than before, while a server in it makes the bombs. */
const MOST_BYTES = 2 ** 28;

const secret = "hf_secret";
const paths = {
  description: /^\/api\/models\/org\/name\/revision\//,
  files: /\/tree\//,
  content: /\/resolve\/.*safetensors/,
};

async function meet([, answer, outcome, patienceMs]: Hostility, path: RegExp): Promise<void> {
  const folder = await temporaryFolder();
  await writeFile(join(folder, "outside"), "untouched");
  await using server = await LoopbackHub.start();
  await using stranger = await LoopbackHub.start();
  server.addToken(secret, { name: "me" });
  server.addModel("org/name", { files: { "config.json": "{}", "model.safetensors": WEIGHTS } });
  const commit = server.repository("model", "org/name")!.head.id;
  server.replace((request) => path.test(request.path), answer({ server, stranger, commit }));
  const hub = await testHub(server, folder, {
    environment: { HF_TOKEN: secret },
    pace: patienceMs === undefined ? {} : { patienceMs },
  });

  const watch = watchMemory();
  const found = await (async () => {
    const repository = await openRepository(hub, "model", { name: "org/name", revision: "main" });
    return fetchFiles(hub, repository, repository.files);
  })().catch((error: unknown) => error);
  expect(await watch.end()).toBeLessThan(MOST_BYTES);

  if (outcome === "fetched") {
    expect(await readFile(join(String(found), "model.safetensors"), "utf8")).toBe(WEIGHTS);
  } else {
    expect(found).toMatchObject({ name: expect.stringMatching(/^(User)?Error$/) });
    expect((found as Error).constructor.name).toMatch(/^(UserError|NoAnswerError)$/);
    expect((found as Error).message).toMatch(outcome);
    expect((found as Error).message).not.toContain(secret);
    expect((found as Error).message.length).toBeLessThan(1000);
  }
  expect((await readdir(folder)).filter((name) => name !== "cache")).toEqual(["outside"]);
  expect(await readFile(join(folder, "outside"), "utf8")).toBe("untouched");
  expect(stranger.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
}

function named(all: readonly Hostility[]): [string, Hostility][] {
  return all.map((hostility) => [hostility[0], hostility]);
}

/** The most that the process has held more than now, looked at now and then. */
function watchMemory(): { end(): Promise<number> } {
  const before = process.memoryUsage().rss;
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage().rss)), 20);
  return {
    async end() {
      await wait(20);
      clearInterval(timer);
      return most - before;
    },
  };
}

describe("the description of a repository may be", () => {
  test.each(named(ofTheDescription))("%s", (_, hostility) => meet(hostility, paths.description));
});

describe("the list of its files may be, or have,", () => {
  test.each(named(ofTheFiles))("%s", (_, hostility) => meet(hostility, paths.files));
});

describe("the content of a file may be", () => {
  test.each(named(ofTheContent))("%s", (_, hostility) => meet(hostility, paths.content));
});

describe("a cache may hold", () => {
  test.each(["a link in the place of a folder", "a link in the place of a partial file"])("%s", async (what) => {
    const folder = await temporaryFolder();
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { "config.json": "{}", "sub/model.safetensors": WEIGHTS } });
    const hub = await testHub(server, folder);
    const repository = await openRepository(hub, "model", { name: "org/name", revision: "main" });
    const weights = repository.files.find(({ sha256 }) => sha256 !== undefined);
    const place = join(folder, "cache", "models--org--name");
    await mkdir(join(folder, "outside"));
    await writeFile(join(folder, "outside", "file"), "untouched");
    if (what.endsWith("folder")) {
      await mkdir(join(place, "snapshots", repository.commit), { recursive: true });
      await symlink(join(folder, "outside"), join(place, "snapshots", repository.commit, "sub"));
      await expect(fetchFiles(hub, repository, repository.files)).rejects.toThrow(/is not a folder of the cache/);
    } else {
      await mkdir(join(place, "blobs"), { recursive: true });
      const partial = join(place, "blobs", `${weights?.sha256}.evomerge.incomplete`);
      await symlink(join(folder, "outside", "file"), partial);
      await fetchFiles(hub, repository, repository.files);
    }
    expect(await readdir(join(folder, "outside"))).toEqual(["file"]);
    expect(await readFile(join(folder, "outside", "file"), "utf8")).toBe("untouched");
  });
});

test.each(["con", "a/NUL.txt", "aux.json", "com1", "a ", "a.", "a?", "a|b", "<", '"'])(
  "%j is no path on Windows, and one elsewhere",
  (path) => {
    expect(isSafePath(path, "win32")).toBe(false);
    expect(isSafePath(path, "linux")).toBe(true);
  },
);
