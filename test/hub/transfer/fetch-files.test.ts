import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { currentProcess } from "../../../src/files/process-identity.ts";
import { fetchFiles, type FetchProgress } from "../../../src/hub/transfer/fetch-files.ts";
import type { Hub } from "../../../src/hub/api/hub.ts";
import { openRepository, type Repository } from "../../../src/hub/cache/repository.ts";
import type { RequestPace } from "../../../src/hub/api/retrying-fetch.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { LoopbackHub } from "../loopback-hub.ts";
import { testHub } from "../test-hub.ts";
import type { Disturbance, LoggedRequest } from "../loopback/fault.ts";

const weights = new Uint8Array(300_000).map((_, i) => (i * i) % 251);
const sha256 = createHash("sha256").update(weights).digest("hex");
const files = { "config.json": "{}", "sub/empty.txt": "", "sub/ünï code#1?.txt": "text", "model.safetensors": weights };

interface Scene extends AsyncDisposable {
  readonly server: LoopbackHub;
  readonly hub: Hub;
  readonly repository: Repository;
  /** Of the repository in the cache. */
  readonly folder: string;
}

/** A server with one model, a hub with an empty cache, and the repository opened. */
async function setScene(pace: Partial<RequestPace> = {}): Promise<Scene> {
  const server = await LoopbackHub.start();
  server.addModel("org/name", { files });
  const folder = await temporaryFolder();
  const hub = await testHub(server, folder, { pace });
  const repository = await openRepository(hub, "model", { name: "org/name", revision: "main" });
  return {
    server,
    hub,
    repository,
    folder: join(folder, "cache/models--org--name"),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

const isStorage = ({ path }: LoggedRequest): boolean => path.startsWith("/lfs/");

function fetchAll({ hub, repository }: Scene, onProgress?: (progress: FetchProgress) => void): Promise<string> {
  return fetchFiles(hub, repository, repository.files, { onProgress });
}

/** The Range headers of the requests for the weights. */
function rangesOf({ server }: Scene): (string | undefined)[] {
  return server.requests.filter(isStorage).map(({ range }) => range);
}

/** Fetches the weights alone and returns every number of bytes that was reached, which never falls. */
async function reachedWhile({ hub, repository }: Scene): Promise<readonly number[]> {
  const reached: number[] = [];
  const files = repository.files.filter(({ path }) => path === "model.safetensors");
  await expectWeights(
    await fetchFiles(hub, repository, files, { onProgress: ({ doneBytes }) => reached.push(doneBytes) }),
  );
  expect(reached).toEqual(reached.toSorted((a, b) => a - b));
  return reached;
}

/**
 * Expects that each of some connections, of which all but the last are cut after `bytes`, goes on at the very byte that
 * was reached. What has arrived but was not read yet when a connection breaks is lost to the client.
 */
function expectResumed(scene: Scene, connections: number, bytes: number, reached: readonly number[]): void {
  const starts = rangesOf(scene).map((range) => Number(/bytes=(\d+)-/.exec(range ?? "")?.[1]));
  expect(starts).toHaveLength(connections);
  for (const [i, start] of starts.entries()) {
    expect(start).toBeGreaterThanOrEqual(starts[i - 1] ?? 0);
    expect(start).toBeLessThanOrEqual(i * bytes);
    expect(reached).toContain(start);
  }
  expect(starts.at(-1)).toBeGreaterThan(0);
}

async function expectWeights(snapshot: string): Promise<void> {
  expect(
    createHash("sha256")
      .update(await readFile(join(snapshot, "model.safetensors")))
      .digest("hex"),
  ).toBe(sha256);
}

describe("fetchFiles", () => {
  test("brings files into a cache of Python's layout, and nothing else", async () => {
    await using scene = await setScene();
    const { repository, folder } = scene;
    const snapshot = await fetchAll(scene);
    expect(snapshot).toBe(join(folder, "snapshots", repository.commit));
    expect(await readFile(join(folder, "refs/main"), "utf8")).toBe(repository.commit);
    expect(await readlink(join(snapshot, "model.safetensors"))).toBe(`../../blobs/${sha256}`);
    expect(await readlink(join(snapshot, "sub/empty.txt"))).toBe(
      "../../../blobs/e69de29bb2d1d6434b8b29ae775ad8c2e48c5391",
    );
    expect(await readFile(join(snapshot, "sub/ünï code#1?.txt"), "utf8")).toBe("text");
    await expectWeights(snapshot);
    const digests = repository.files.map(({ sha256, blob }) => sha256 ?? blob);
    expect(new Set(await readdir(join(folder, "blobs")))).toEqual(new Set(digests));
  });

  test("fetches nothing twice", async () => {
    await using scene = await setScene();
    await fetchAll(scene);
    const before = scene.server.requests.length;
    const progress: FetchProgress[] = [];
    await fetchAll(scene, (step) => progress.push(step));
    expect(scene.server.requests).toHaveLength(before);
    expect(progress).toEqual([{ doneBytes: 300_006, totalBytes: 300_006, doneFiles: 4, files: 4 }]);
  });

  test("tells how far it is, up to all bytes of all files", async () => {
    await using scene = await setScene();
    const progress: FetchProgress[] = [];
    await fetchAll(scene, (step) => progress.push(step));
    const bytes = progress.map(({ doneBytes }) => doneBytes);
    expect(bytes).toEqual(bytes.toSorted((a, b) => a - b));
    expect(progress[0]).toEqual({ doneBytes: 0, totalBytes: 300_006, doneFiles: 0, files: 4 });
    expect(progress.at(-1)).toEqual({ doneBytes: 300_006, totalBytes: 300_006, doneFiles: 4, files: 4 });
  });

  test("uses a blob that is there under another commit", async () => {
    await using scene = await setScene();
    await fetchAll(scene);
    scene.server.repository("model", "org/name")?.commit({ files: { "config.json": "[]" } });
    const next = await openRepository(scene.hub, "model", { name: "org/name", revision: "main" });
    await expectWeights(await fetchAll({ ...scene, repository: next }));
    expect(rangesOf(scene)).toHaveLength(1);
  });

  test("goes on from the byte reached, however often the connection breaks", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, times: 7, do: { dropAfterBytes: 40_000 } });
    const reached = await reachedWhile(scene);
    expectResumed(scene, 8, 40_000, reached);
  });

  test.each<[string, Disturbance]>([
    ["stalls", { stallAfterBytes: 1000, stallMs: 60_000 }],
    ["stalls before the first byte", { stallAfterBytes: 0, stallMs: 60_000 }],
    ["hangs up", { hangUp: true }],
    ["answers 503", { status: 503 }],
  ])("copes with a server that %s for a while", async (_, fault) => {
    await using scene = await setScene("stallMs" in fault ? { patienceMs: 400 } : {});
    scene.server.fail({ match: isStorage, times: 2, do: fault });
    await expectWeights(await fetchAll(scene));
  });

  test.each([
    ["another part", "bytes 5-299999/300000"],
    ["a part of another file", "bytes 0-299999/300001"],
    ["a part it does not name", "all"],
  ])("asks a server that sends %s for the whole file", async (_, range) => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, do: { headers: { "Content-Range": range } } });
    await expectWeights(await fetchAll(scene));
    expect(rangesOf(scene)).toEqual(["bytes=0-", undefined]);
  });

  test("has patience with a connection that is slow", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, do: { slowBytesPerSecond: 500_000 } });
    await expectWeights(await fetchAll(scene));
    expect(rangesOf(scene)).toEqual(["bytes=0-"]);
  });

  test("copes with a server that sends the whole file to whoever asks for the rest", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, do: { dropAfterBytes: 100_000 } });
    scene.server.fail({ match: isStorage, do: { ignoreRange: true } });
    const reached = await reachedWhile(scene);
    expectResumed(scene, 2, 100_000, reached);
  });

  test("gives up after connections that bring nothing, and keeps what came before", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, do: { dropAfterBytes: 1000 } });
    scene.server.fail({ match: isStorage, times: Infinity, do: { dropAfterBytes: 0 } });
    await expect(fetchAll(scene)).rejects.toThrow(/5 times at byte 1000 of 300000; check the network and try again/);
    expect(await readFile(join(scene.folder, `blobs/${sha256}.evomerge.incomplete`))).toHaveLength(1000);
    expect((await readdir(join(scene.folder, "blobs"))).filter((name) => name.endsWith(".lock"))).toEqual([]);
  });

  test("takes nothing from a page that a proxy sends in place of the file", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, times: Infinity, do: { status: 200 } });
    await expect(fetchAll(scene)).rejects.toThrow(/the answer has \d+ bytes, 5 times at byte 0 of 300000/);
    expect(await readFile(join(scene.folder, `blobs/${sha256}.evomerge.incomplete`))).toHaveLength(0);
  });

  test("fetches a file with the wrong digest once more, from the start", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, do: { corrupt: true } });
    await expectWeights(await fetchAll(scene));
    expect(rangesOf(scene)).toEqual(["bytes=0-", "bytes=0-"]);
  });

  test("refuses a file that has the wrong digest twice, and keeps nothing of it", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, times: 2, do: { corrupt: true } });
    const wrong = Uint8Array.from(weights);
    wrong[wrong.length - 1]! ^= 1;
    await expect(fetchAll(scene)).rejects.toThrow(
      new UserError(
        `${scene.server.url}/org/name/resolve/${scene.repository.commit}/model.safetensors has sha256 ` +
          `${createHash("sha256").update(wrong).digest("hex")}, twice, where the Hub lists ${sha256}; ` +
          "try again later, or look for a proxy that changes what it passes on",
      ),
    );
    const left = await readdir(scene.folder, { recursive: true });
    expect(left.filter((path) => path.includes(sha256) || path.endsWith("model.safetensors"))).toEqual([]);
  });

  test("checks small files by git's digest", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: ({ path }) => path.endsWith("config.json"), times: 2, do: { corrupt: true } });
    await expect(fetchAll(scene)).rejects.toThrow(/config.json has git sha1 [0-9a-f]{40}, twice/);
  });

  test("goes on from the part that an earlier process left, and starts anew from one that is wrong", async () => {
    await using scene = await setScene();
    const partial = join(scene.folder, "blobs", `${sha256}.evomerge.incomplete`);
    await mkdir(join(scene.folder, "blobs"), { recursive: true });
    await writeFile(partial, weights.subarray(0, 200_000));
    const progress: FetchProgress[] = [];
    await expectWeights(await fetchAll(scene, (step) => progress.push(step)));
    expect(rangesOf(scene)).toEqual(["bytes=200000-"]);
    expect(progress.at(-1)?.doneBytes).toBe(300_006);

    await using other = await setScene();
    await mkdir(join(other.folder, "blobs"), { recursive: true });
    await writeFile(join(other.folder, "blobs", `${sha256}.evomerge.incomplete`), "rubbish");
    await expectWeights(await fetchAll(other));
    expect(rangesOf(other)).toEqual(["bytes=7-", "bytes=0-"]);
  });

  test("never writes through a link that leads out of the cache", async () => {
    await using scene = await setScene();
    const outside = await temporaryFolder();
    await writeFile(join(outside, "file"), "precious");
    await mkdir(join(scene.folder, "blobs"), { recursive: true });
    await symlink(join(outside, "file"), join(scene.folder, "blobs", `${sha256}.evomerge.incomplete`));
    await symlink(join(outside, "file"), join(scene.folder, "blobs", sha256));
    const snapshot = join(scene.folder, "snapshots", scene.repository.commit);
    await mkdir(snapshot, { recursive: true });
    await symlink(outside, join(snapshot, "sub"));
    await expect(fetchAll(scene)).rejects.toThrow(
      new UserError(`${join(snapshot, "sub")} is not a folder of the cache; delete it and fetch again`),
    );
    const model = scene.repository.files.find(({ path }) => path === "model.safetensors");
    await expectWeights(await fetchFiles(scene.hub, scene.repository, [model!]));
    expect(await readdir(outside)).toEqual(["file"]);
    expect(await readFile(join(outside, "file"), "utf8")).toBe("precious");
  });

  test("fetches a blob once for two calls at the same time", async () => {
    await using scene = await setScene();
    scene.server.fail({ match: isStorage, do: { slowBytesPerSecond: 3_000_000 } });
    const [one, two] = await Promise.all([fetchAll(scene), fetchAll(scene)]);
    expect(one).toBe(two);
    await expectWeights(one);
    const fetched = scene.server.requests.filter(({ range }) => range !== undefined).map(({ path }) => path);
    expect(fetched).toEqual([...new Set(fetched)]);
  });

  test("takes over the blob of a process that died", async () => {
    await using scene = await setScene();
    await mkdir(join(scene.folder, "blobs"), { recursive: true });
    const lock = join(scene.folder, "blobs", `${sha256}-4000000-dead.lock`);
    await writeFile(lock, JSON.stringify({ ...currentProcess(), pid: 4_194_305 }));
    await expectWeights(await fetchAll(scene));
    expect(existsSync(lock)).toBe(false);
  });

  test("stops at once when it is told to, and goes on from there", async () => {
    await using scene = await setScene();
    const { hub, repository } = scene;
    scene.server.fail({ match: isStorage, do: { stallAfterBytes: 100_000, stallMs: 60_000 } });
    const controller = new AbortController();
    const fetching = fetchFiles(hub, repository, repository.files, {
      signal: controller.signal,
      onProgress: ({ doneBytes }) => doneBytes >= 100_006 && controller.abort(),
    });
    await expect(fetching).rejects.toThrow(expect.objectContaining({ name: "AbortError" }));
    await expectWeights(await fetchAll(scene));
    expect(rangesOf(scene)).toEqual(["bytes=0-", "bytes=100000-"]);
  });

  test("says how to get into a gated repository", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files, gated: "manual" });
    server.addToken("hf_stranger", { name: "stranger" });
    server.addToken("hf_friend", { name: "friend", access: ["org/name"] });
    const folder = await temporaryFolder();
    const fetchWith = async (environment: NodeJS.ProcessEnv): Promise<string> => {
      const hub = await testHub(server, folder, { environment });
      const repository = await openRepository(hub, "model", { name: "org/name", revision: "main" });
      return fetchFiles(hub, repository, repository.files);
    };
    await expect(fetchWith({})).rejects.toThrow(
      `model org/name is gated: accept its conditions at ${server.url}/org/name and set HF_TOKEN to a token of the ` +
        `same account, from ${server.url}/settings/tokens`,
    );
    await expect(fetchWith({ HF_TOKEN: "hf_stranger" })).rejects.toThrow(
      `model org/name is gated: the account of the token in HF_TOKEN has no access yet; ` +
        `accept its conditions at ${server.url}/org/name`,
    );
    await expectWeights(await fetchWith({ HF_TOKEN: "hf_friend" }));
    expect(server.requests.filter(isStorage).every(({ authorization }) => authorization === undefined)).toBe(true);
  });

  test("names the file that is missing offline", async () => {
    await using scene = await setScene();
    const { hub, repository } = scene;
    await fetchFiles(hub, repository, repository.files.slice(0, 1));
    await expect(fetchFiles({ ...hub, offline: true }, repository, repository.files)).rejects.toThrow(
      `model.safetensors of org/name@${repository.commit} is not in ${hub.cache}, and HF_HUB_OFFLINE is set`,
    );
  });

  test("says which name the file system does not take", async () => {
    await using scene = await setScene();
    scene.server.addModel("org/long", { files: { ["a".repeat(300)]: "text" } });
    const repository = await openRepository(scene.hub, "model", { name: "org/long", revision: "main" });
    await expect(fetchAll({ ...scene, repository })).rejects.toThrow(UserError);
  });

  test("says where it cannot write", async () => {
    await using scene = await setScene();
    await writeFile(scene.hub.cache, "a file, no folder");
    await expect(fetchAll(scene)).rejects.toThrow(/^cannot write to the cache .*; set HF_HUB_CACHE to another folder$/);
  });
});
