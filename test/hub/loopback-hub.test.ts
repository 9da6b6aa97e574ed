import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  downloadFile,
  fileExists,
  listCommits,
  listFiles,
  modelInfo,
  pathsInfo,
  whoAmI,
  type ListFileEntry,
} from "@huggingface/hub";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../temporary-folder.ts";
import { LoopbackHub } from "./loopback-hub.ts";

const weights = Uint8Array.from({ length: 5000 }, (_, at) => at % 251);
const sha256 = createHash("sha256").update(weights).digest("hex");

describe("loopback hub", () => {
  test("tells what a model is, with parameters counted from its safetensors headers", async () => {
    await using hub = await LoopbackHub.start();
    hub.addModel("org/name", {
      files: { "model.safetensors": safetensors({ a: [3, 4], b: [5] }), "README.md": "---\nlicense: mit\n---\nHi" },
      baseModels: ["org/base"],
      gated: "auto",
      id: "1".repeat(40),
    });
    const additionalFields = ["sha", "cardData", "createdAt", "safetensors", "disabled", "filePaths"] as const;
    const info = await modelInfo({ name: "org/name", hubUrl: hub.url, additionalFields: [...additionalFields] });
    expect(info).toMatchObject({
      name: "org/name",
      gated: "auto",
      private: false,
      disabled: false,
      sha: "1".repeat(40),
      createdAt: "2024-01-01T00:00:00.000Z",
      cardData: { license: "mit", base_model: ["org/base"] },
      safetensors: { parameters: { BF16: 17 }, total: 17 },
      filePaths: ["model.safetensors", "README.md"],
    });
  });

  test("lists files in pages, with git's object ids, LFS hashes and the commit that last changed each file", async () => {
    await using hub = await LoopbackHub.start();
    const model = hub.addModel("org/name", { files: { "a.txt": "hello", "b/c/x.bin": weights, "d.txt": "old" } });
    const second = model.commit({ files: { "d.txt": "new", "a.txt": "hello!" }, title: "Correct d" });
    model.commit({ files: { "a.txt": null } });
    hub.pageSize = 2;
    const entries = await listed(hub, { recursive: true, expand: true });
    expect(entries.map(({ type, path }) => `${type} ${path}`)).toEqual([
      "directory b",
      "directory b/c",
      "file b/c/x.bin",
      "file d.txt",
    ]);
    expect(entries[2]).toMatchObject({ size: 5000, lfs: { oid: sha256, size: 5000 } });
    expect(entries[3]).toMatchObject({
      oid: "3e5126c4e761fd09582fc517918a1601b218dff0",
      lastCommit: { id: second, title: "Correct d", date: "2024-01-01T01:00:00.000Z" },
    });
    expect(hub.requests).toHaveLength(2);
    expect((await listed(hub, { path: "b" })).map(({ path }) => path)).toEqual(["b/c"]);
  });

  test("sends ranges of an LFS file from an origin to which clients send no token", async () => {
    await using hub = await LoopbackHub.start();
    hub.addModel("me/name", { files: { "x.bin": weights }, private: true });
    hub.addToken("hf_me", { name: "me" });
    const at = { repo: "me/name", path: "x.bin", hubUrl: hub.url, accessToken: "hf_me" };
    const blob = await downloadFile(at);
    expect(blob!.size).toBe(5000);
    expect(new Uint8Array(await blob!.slice(4990, 5000).arrayBuffer())).toEqual(weights.slice(4990));
    expect(hub.requests.slice(-2)).toEqual([
      { method: "GET", path: "/me/name/resolve/main/x.bin", range: "bytes=4990-4999", authorization: "Bearer hf_me" },
      { method: "GET", path: `/lfs/${sha256}`, range: "bytes=4990-4999" },
    ]);
    expect(await downloadFile({ ...at, path: "missing" })).toBeNull();
    expect(await fileExists({ ...at, path: "missing" })).toBe(false);
    expect(await (await downloadFile({ ...at, raw: true }))!.text()).toContain(`oid sha256:${sha256}\nsize 5000\n`);
  });

  test.each([
    ["bytes=1-2", 206, "el", "bytes 1-2/5"],
    ["bytes=3-", 206, "lo", "bytes 3-4/5"],
    ["bytes=-2", 206, "lo", "bytes 3-4/5"],
    ["bytes=2-99", 206, "llo", "bytes 2-4/5"],
    ["bytes=5-", 416, "", "bytes */5"],
    [undefined, 200, "hello", null],
  ])("answers %s of five bytes with %i %j", async (range, status, body, contentRange) => {
    await using hub = await LoopbackHub.start();
    const model = hub.addModel("org/name", { files: { "a.txt": "hello" } });
    const headers = { ...(range !== undefined && { range }) };
    const response = await fetch(`${hub.url}/org/name/resolve/main/a.txt`, { headers });
    expect([response.status, await response.text()]).toEqual([status, body]);
    expect(response.headers.get("content-range")).toBe(contentRange);
    expect(response.headers.get("etag")).toBe(`"${gitBlob("hello")}"`);
    expect(response.headers.get("x-repo-commit")).toBe(model.head.id);
  });

  test("gives the size and hash of an LFS file on the redirect to it", async () => {
    await using hub = await LoopbackHub.start();
    hub.addModel("org/name", { files: { "x.bin": weights } });
    const options: RequestInit = { method: "HEAD", redirect: "manual" };
    const { status, headers } = await fetch(`${hub.url}/org/name/resolve/main/x.bin`, options);
    expect([status, headers.get("x-linked-size"), headers.get("x-linked-etag")]).toEqual([302, "5000", `"${sha256}"`]);
  });

  test("lists commits in pages, and takes branches, tags and commits as revisions", async () => {
    await using hub = await LoopbackHub.start();
    const rows = hub.addDataset("org/rows", { files: { "a.csv": "1" }, date: "2023-05-31T00:00:00.000Z" });
    const second = rows.commit({ files: { "a.csv": "22" } });
    rows.tag("v2");
    rows.commit({ files: { "a.csv": "333" } });
    const converted = rows.commit({ branch: "refs/convert/parquet", files: { "default/test/0000.parquet": "PAR1" } });
    const repo = { type: "dataset", name: "org/rows" } as const;
    const commits = await collected(listCommits({ repo, hubUrl: hub.url, batchSize: 2 }));
    expect(commits.map(({ title }) => title)).toEqual(["Change 2", "Change 1", "initial commit"]);
    expect(commits[2]!.date).toEqual(new Date("2023-05-31T00:00:00.000Z"));
    expect(hub.requests).toHaveLength(2);
    for (const revision of ["v2", second]) {
      const [entry] = await pathsInfo({ repo, paths: ["a.csv"], revision, hubUrl: hub.url });
      expect(entry!.size).toBe(2);
    }
    const files = await pathsInfo({
      repo,
      paths: ["a.csv", "default"],
      revision: "refs/convert/parquet",
      hubUrl: hub.url,
    });
    expect(files.map(({ type, path }) => [type, path])).toEqual([["directory", "default"]]);
    const [parquet] = await collected(listFiles({ repo, revision: converted, recursive: true, hubUrl: hub.url }));
    expect(parquet!.path).toBe("default");
    expect(await codeOf(fetch(`${hub.url}/api/datasets/org/rows/revision/none`))).toEqual([404, "RevisionNotFound"]);
  });

  test("serves a folder on disk", async () => {
    const folder = await temporaryFolder();
    await mkdir(join(folder, "sub"));
    await writeFile(join(folder, "sub", "x.bin"), weights);
    await using hub = await LoopbackHub.start();
    hub.addModel("org/name", { folder, files: { "a.txt": "hello" } });
    expect((await listed(hub, { recursive: true })).map(({ path }) => path)).toEqual(["a.txt", "sub", "sub/x.bin"]);
    const response = await fetch(`${hub.url}/org/name/resolve/main/sub/x.bin`, { headers: { range: "bytes=7-9" } });
    expect(new Uint8Array(await response.arrayBuffer())).toEqual(weights.slice(7, 10));
  });

  test("says what a hostile repository would", async () => {
    await using hub = await LoopbackHub.start();
    const lie = { content: "four", bytes: 1000, sha256: "0".repeat(64) };
    const paths = ["../evil", "/etc/x", "a/../../b", "x.bin"];
    hub.addModel("org/name", { files: { "../evil": "", "/etc/x": "", "a/../../b": "", "x.bin": lie } });
    const entries = await listed(hub, { recursive: true });
    expect(entries.map(({ path }) => path).toSorted()).toEqual(paths);
    expect(entries.find(({ path }) => path === "x.bin")!.lfs).toMatchObject({ oid: "0".repeat(64), size: 1000 });
    expect(await (await fetch(`${hub.url}/org/name/resolve/main/x.bin`)).text()).toBe("four");
  });
});

describe("access to the loopback hub", () => {
  test("is refused with 401 to the anonymous and 404 to a stranger, as the Hub does", async () => {
    await using hub = await LoopbackHub.start();
    hub.addModel("org/private", { files: {}, private: true });
    hub.addToken("hf_stranger", { name: "stranger" });
    hub.addToken("hf_member", { name: "member", organisations: ["org"] });
    const ask = (name: string, token?: string) => codeOf(fetch(`${hub.url}/api/models/${name}`, as(token)));
    expect(await ask("org/missing")).toEqual([401, null]);
    expect(await ask("org/private")).toEqual([401, null]);
    expect(await ask("org/missing", "hf_stranger")).toEqual([404, "RepoNotFound"]);
    expect(await ask("org/private", "hf_stranger")).toEqual([404, "RepoNotFound"]);
    expect(await ask("org/private", "hf_member")).toEqual([200, null]);
    expect(await ask("org/private", "hf_nobody")).toEqual([401, null]);
    expect(await whoAmI({ accessToken: "hf_member", hubUrl: hub.url })).toMatchObject({ name: "member" });
  });

  test("is open to anybody for a gated listing, but for its content only to the granted", async () => {
    await using hub = await LoopbackHub.start();
    hub.addModel("org/gated", { files: { "a.txt": "hello" }, gated: "manual" });
    hub.addModel("org/disabled", { files: { "a.txt": "hello" }, disabled: true });
    hub.addToken("hf_stranger", { name: "stranger" });
    hub.addToken("hf_granted", { name: "granted", access: ["org/gated"] });
    expect(await codeOf(fetch(`${hub.url}/api/models/org/gated/tree/main`))).toEqual([200, null]);
    const ask = (token?: string) => codeOf(fetch(`${hub.url}/org/gated/resolve/main/a.txt`, as(token)));
    expect(await ask()).toEqual([401, "GatedRepo"]);
    expect(await ask("hf_stranger")).toEqual([403, "GatedRepo"]);
    expect(await ask("hf_granted")).toEqual([200, null]);
    expect(await codeOf(fetch(`${hub.url}/org/disabled/resolve/main/a.txt`))).toEqual([403, null]);
  });

  test("is redirected from the old name of a repository", async () => {
    await using hub = await LoopbackHub.start();
    hub.addModel("org/old", { files: { "a.txt": "hello" } });
    hub.rename("model", "org/old", "new/name");
    expect((await modelInfo({ name: "org/old", hubUrl: hub.url })).name).toBe("new/name");
    const response = await fetch(`${hub.url}/org/old/resolve/main/a.txt`);
    expect([response.redirected, await response.text()]).toEqual([true, "hello"]);
  });
});

function listed(
  hub: LoopbackHub,
  options: { recursive?: boolean; expand?: boolean; path?: string },
): Promise<ListFileEntry[]> {
  return collected(listFiles({ repo: "org/name", hubUrl: hub.url, ...options }));
}

async function collected<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function codeOf(asked: Promise<Response>): Promise<[number, string | null]> {
  const { status, headers } = await asked;
  return [status, headers.get("x-error-code")];
}

function as(token: string | undefined): RequestInit {
  return token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
}

function gitBlob(text: string): string {
  return createHash("sha1").update(`blob ${text.length}\0${text}`).digest("hex");
}

/** A file of BF16 zeros. */
function safetensors(shapes: Readonly<Record<string, number[]>>): Buffer {
  let end = 0;
  const tensors = Object.entries(shapes).map(([name, shape]) => {
    const start = end;
    end += 2 * shape.reduce((product, size) => product * size, 1);
    return [name, { dtype: "BF16", shape, data_offsets: [start, end] }] as const;
  });
  const header = JSON.stringify({ __metadata__: { format: "pt" }, ...Object.fromEntries(tensors) });
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(end)]);
}
