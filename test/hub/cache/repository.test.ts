import { createHash } from "node:crypto";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { fetchFiles } from "../../../src/hub/transfer/fetch-files.ts";
import { openRepository, type Repository } from "../../../src/hub/cache/repository.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { LoopbackHub } from "../loopback-hub.ts";
import { testHub } from "../test-hub.ts";

const main = { name: "org/name", revision: "main" };
const offline = { HF_HUB_OFFLINE: "1" };
const files = { "config.json": "{}", "model.safetensors": "weights", "sub/notes.txt": "notes" };

function sha256(content: string): string {
  return createHash("sha256").update(content).digest("hex");
}

function gitSha1(content: string): string {
  return createHash("sha1").update(`blob ${content.length}\0${content}`).digest("hex");
}

/** Writes files into a cache as Python's snapshot_download does; the commit is named by `main`. */
async function fillAsPython(repository: string, commit: string, contents: Record<string, string>): Promise<void> {
  for (const [path, content] of Object.entries(contents)) {
    const blob = join(repository, "blobs", path.endsWith(".safetensors") ? sha256(content) : gitSha1(content));
    const target = join(repository, "snapshots", commit, path);
    for (const each of [blob, target, join(repository, "refs", "main")])
      await mkdir(dirname(each), { recursive: true });
    await writeFile(blob, content);
    await symlink(relative(dirname(target), blob), target);
    await writeFile(join(repository, "refs", "main"), commit);
  }
}

describe("openRepository", () => {
  test("takes a listing in which the Hub found no last commit", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files });
    const hub = await testHub(server, await temporaryFolder());
    const hasty: typeof fetch = async (input, init) => {
      const response = await hub.fetch(input, init);
      if (!response.url.includes("/tree/")) return response;
      const entries = (await response.json()) as object[];
      return Response.json(entries.map((entry) => ({ ...entry, lastCommit: null })));
    };
    const { files: found } = await openRepository({ ...hub, fetch: hasty }, "model", main, { withCommits: true });
    expect(found.map(({ path }) => path).toSorted()).toEqual(Object.keys(files).toSorted());
    expect(found.map(({ lastCommit }) => lastCommit)).toEqual([undefined, undefined, undefined]);
  });

  test("pins the revision and tells what the Hub knows, files with sizes and digests over all pages", async () => {
    await using server = await LoopbackHub.start();
    server.pageSize = 2;
    const model = server.addModel("org/name", {
      files,
      licence: "apache-2.0",
      baseModels: ["org/base"],
      tags: ["merge"],
      createdAt: "2024-01-02T00:00:00.000Z",
      gated: "auto",
      safetensors: { parameters: { BF16: 7 }, total: 7 },
    });
    const commit = model.commit({
      files: { "config.json": '{"a":1}' },
      branch: "main",
      date: "2024-05-01T00:00:00.000Z",
    });
    const hub = await testHub(server, await temporaryFolder());
    expect(await openRepository(hub, "model", main)).toEqual({
      source: "hub",
      type: "model",
      name: "org/name",
      requested: main,
      commit,
      private: false,
      gated: "auto",
      disabled: false,
      createdAt: "2024-01-02T00:00:00.000Z",
      licence: "apache-2.0",
      tags: ["merge", "license:apache-2.0"],
      parameters: 7,
      files: [
        { path: "config.json", bytes: 7, blob: gitSha1('{"a":1}') },
        { path: "model.safetensors", bytes: 7, blob: expect.any(String), sha256: sha256("weights") },
        { path: "sub/notes.txt", bytes: 5, blob: gitSha1("notes") },
      ],
    });
    expect(server.requests.every(({ path }) => path.startsWith("/api/"))).toBe(true);
  });

  test("tells the last commit of every file when asked to", async () => {
    await using server = await LoopbackHub.start();
    const model = server.addModel("org/name", { files, title: "start", date: "2024-01-01T00:00:00.000Z" });
    const id = model.commit({ files: { "config.json": "[]" }, title: "change", date: "2024-02-01T00:00:00.000Z" });
    const repository = await openRepository(await testHub(server, await temporaryFolder()), "model", main, {
      withCommits: true,
    });
    expect(repository.files.map(({ path, lastCommit }) => [path, lastCommit?.title, lastCommit?.date])).toEqual([
      ["config.json", "change", "2024-02-01T00:00:00.000Z"],
      ["model.safetensors", "start", "2024-01-01T00:00:00.000Z"],
      ["sub/notes.txt", "start", "2024-01-01T00:00:00.000Z"],
    ]);
    expect(repository.files[0]?.lastCommit?.id).toBe(id);
  });

  test("opens a dataset, also at a branch with slashes in its name", async () => {
    await using server = await LoopbackHub.start();
    const rows = server.addDataset("org/name", { files: { "rows.csv": "a,b" } });
    const commit = rows.commit({ branch: "refs/convert/parquet", files: { "default/train/0000.parquet": "rows" } });
    const hub = await testHub(server, await temporaryFolder());
    const found = await openRepository(hub, "dataset", { name: "org/name", revision: "refs/convert/parquet" });
    expect(found.commit).toBe(commit);
    expect(found.files.map(({ path }) => path)).toEqual(["default/train/0000.parquet"]);
  });

  test("gives the new name of a renamed repository", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files });
    server.rename("model", "org/name", "new-org/new-name");
    const hub = await testHub(server, await temporaryFolder());
    const found = await openRepository(hub, "model", main);
    expect(found).toMatchObject({ name: "new-org/new-name", requested: main });
    await fetchFiles(hub, found, found.files);
    const again = await openRepository(hub, "model", { name: "new-org/new-name", revision: found.commit });
    expect(again.commit).toBe(found.commit);
  });

  test("says both reasons why an unknown repository may be unknown", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files, private: true });
    server.addToken("hf_stranger", { name: "stranger" });
    const folder = await temporaryFolder();
    await expect(openRepository(await testHub(server, folder), "model", main)).rejects.toThrow(
      new UserError(
        `${server.url}/org/name: no such model, or it is private; check the spelling of org/name, ` +
          "or, if it is private, set HF_TOKEN to a token that can read it",
      ),
    );
    const stranger = await testHub(server, folder, { environment: { HF_TOKEN: "hf_stranger" } });
    await expect(openRepository(stranger, "model", main)).rejects.toThrow(
      /if it is private, the token in HF_TOKEN cannot read it$/,
    );
  });

  test("tells a token that the Hub refuses from a repository that is missing, without showing it", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files });
    const hub = await testHub(server, await temporaryFolder(), { environment: { HF_TOKEN: "hf_expired" } });
    await expect(openRepository(hub, "model", main)).rejects.toThrow(
      new UserError(
        `the Hub refuses the token in HF_TOKEN; replace it by a valid one from ${server.url}/settings/tokens or remove it`,
      ),
    );
  });

  test("never shows the token, though the server does", async () => {
    await using server = await LoopbackHub.start();
    server.fail({ match: () => true, do: { status: 403, headers: { "X-Error-Message": "no entry for hf_secret" } } });
    const hub = await testHub(server, await temporaryFolder(), { environment: { HF_TOKEN: "hf_secret" } });
    await expect(openRepository(hub, "model", main)).rejects.toThrow(/answered 403 \('no entry for …'\)/);
  });

  test("names the revision that does not exist", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files });
    const hub = await testHub(server, await temporaryFolder());
    await expect(openRepository(hub, "model", { name: "org/name", revision: "v9" })).rejects.toThrow(
      new UserError(`model org/name has no revision v9; see those it has at ${server.url}/org/name/tree/main`),
    );
  });

  test.each([
    "../evil",
    "a/../../evil",
    "/etc/passwd",
    "a//b",
    "a/./b",
    "a\\b",
    "C:/evil",
    "nul\0",
    "bell\u0007",
    "line\nbreak",
    "",
  ])("refuses the file name %j before anything is written", async (path) => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { ...files, [path]: "evil" } });
    const hub = await testHub(server, await temporaryFolder());
    await expect(openRepository(hub, "model", main)).rejects.toThrow(/expected a path inside the repository/);
  });

  test("refuses sizes and digests that cannot be", async () => {
    await using server = await LoopbackHub.start();
    const hub = await testHub(server, await temporaryFolder());
    for (const claim of [
      { bytes: -1 },
      { bytes: 1.5 },
      { bytes: 2 ** 60 },
      { blob: "../../../evil" },
      { sha256: "x" },
    ]) {
      server.addModel("org/name", { files: { "model.safetensors": { content: "weights", ...claim } } });
      await expect(openRepository(hub, "model", main)).rejects.toThrow(/the Hub's answer has .*, which cannot be/);
    }
  });

  test("explains answers that are not the Hub's", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files });
    const hub = await testHub(server, await temporaryFolder());
    const isHtml = { status: 200, headers: { "Content-Type": "text/html" } };
    server.fail({ match: ({ path }) => path.includes("/revision/"), do: isHtml });
    await expect(openRepository(hub, "model", main)).rejects.toThrow(`${server.url}/org/name: the Hub's answer`);
  });

  test("takes several licences, and leaves out what a card says otherwise", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/one", {
      files: { "README.md": "---\nlicense: [mit, cc-by-4.0]\n---\n" },
    });
    server.addModel("org/two", { files: { "README.md": "---\nlicense: {name: mit}\n---\n" } });
    const hub = await testHub(server, await temporaryFolder());
    const open = (name: string): Promise<Repository> => openRepository(hub, "model", { name, revision: "main" });
    expect(await open("org/one")).toMatchObject({ licence: "mit, cc-by-4.0" });
    expect(await open("org/two")).not.toHaveProperty("licence");
  });

  test("answers a commit that was fetched before without a request, with all that the Hub said", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files, licence: "mit" });
    const folder = await temporaryFolder();
    const hub = await testHub(server, folder);
    const first = await openRepository(hub, "model", main);
    await fetchFiles(hub, first, first.files.slice(0, 1));
    const before = server.requests.length;
    const pinned = { name: "org/name", revision: first.commit };
    expect(await openRepository(hub, "model", pinned)).toEqual({ ...first, requested: pinned });
    expect(await openRepository(await testHub(server, folder, { environment: offline }), "model", main)).toEqual(first);
    expect(server.requests).toHaveLength(before);
    expect((await openRepository(hub, "model", pinned, { withCommits: true })).files[0]?.lastCommit).toBeDefined();
  });

  test("answers from a cache that Python filled when the model is there in full", async () => {
    const folder = await temporaryFolder();
    const commit = "a".repeat(40);
    const cached = join(folder, "cache/models--org--name");
    const nowhere = { url: "http://127.0.0.1:9" };
    const hub = await testHub(nowhere, folder);
    await fillAsPython(cached, commit, {
      "config.json": "{}",
      "model.safetensors.index.json": '{"weight_map":{"a":"model-00001-of-00001.safetensors"}}',
    });
    const without = await testHub(nowhere, folder, { environment: offline });
    await expect(openRepository(without, "model", main)).rejects.toThrow(
      new UserError(
        `org/name@main: its model-00001-of-00001.safetensors is not in ${folder}/cache, and HF_HUB_OFFLINE is set; ` +
          "unset it, or run evomerge fetch where there is a network",
      ),
    );
    await fillAsPython(cached, commit, { "model-00001-of-00001.safetensors": "weights" });
    await expect(openRepository(without, "model", main)).rejects.toThrow(
      /^org\/name@main: its tokenizer.json is not in/,
    );
    await fillAsPython(cached, commit, { "tokenizer.json": "{}", "tokenizer_config.json": "{}" });
    const found = await openRepository(hub, "model", { name: "org/name", revision: commit });
    expect(found).toMatchObject({ source: "cache", commit });
    expect(found.files).toContainEqual({ path: "config.json", bytes: 2, blob: gitSha1("{}") });
    expect(found.files).toContainEqual({
      path: "model-00001-of-00001.safetensors",
      bytes: 7,
      sha256: sha256("weights"),
    });
    expect((await openRepository(without, "model", main)).commit).toBe(commit);
    expect(await fetchFiles(without, found, found.files)).toBe(join(cached, "snapshots", commit));
  });

  test("asks the Hub for the tokenizer that Python did not want", async () => {
    await using server = await LoopbackHub.start();
    const weights = { "config.json": "{}", "model.safetensors": "weights" };
    const model = server.addModel("org/name", { files: { ...weights, "tokenizer.json": "[]" } });
    const folder = await temporaryFolder();
    await fillAsPython(join(folder, "cache/models--org--name"), model.head.id, weights);
    const hub = await testHub(server, folder);
    const found = await openRepository(hub, "model", { name: "org/name", revision: model.head.id });
    expect(await readdir(await fetchFiles(hub, found, found.files))).toContain("tokenizer.json");
    const fetched = server.requests.map(({ path }) => path).filter((path) => path.includes("/resolve/"));
    expect(fetched).toEqual([`/org/name/resolve/${model.head.id}/tokenizer.json`]);
  });

  test("says what is missing offline", async () => {
    const folder = await temporaryFolder();
    const hub = await testHub({ url: "http://127.0.0.1:9" }, folder, { environment: offline });
    await expect(openRepository(hub, "dataset", main)).rejects.toThrow(
      `org/name@main: it is not in ${folder}/cache, and HF_HUB_OFFLINE is set`,
    );
    await fillAsPython(join(folder, "cache/datasets--org--name"), "b".repeat(40), { "rows.csv": "a,b" });
    expect((await openRepository(hub, "dataset", main)).files.map(({ path }) => path)).toEqual(["rows.csv"]);
  });
});
