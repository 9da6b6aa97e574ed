import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { statSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, onTestFinished, test } from "vitest";
import { compiled } from "../../compiled.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { LoopbackHub } from "../loopback-hub.ts";
import type { LoggedRequest } from "../loopback/fault.ts";

const weights = new Uint8Array(1_000_000).map((_, i) => (i * i) % 251);
const sha256 = createHash("sha256").update(weights).digest("hex");

const isStorage = ({ path }: LoggedRequest): boolean => path.startsWith("/lfs/");

/** Starts a process that fetches the model; it shares the cache in `folder` with others. */
function startFetching({ url }: LoopbackHub, folder: string): ChildProcess {
  const child = spawn(process.execPath, [compiled("test/hub/transfer/fetch-model")], {
    env: { ...process.env, HOME: folder, HF_ENDPOINT: url, HF_HUB_CACHE: folder },
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** What the process prints until it ends, which it does well. */
async function outputOf(child: ChildProcess): Promise<string> {
  const pieces = child.stdout?.toArray();
  const [code] = (await once(child, "exit")) as [number | null];
  expect(code).toBe(0);
  return Buffer.concat((await pieces) as Buffer[]).toString();
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

describe("fetching in processes", () => {
  test("goes on where a killed process was, and ends with the same bytes", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { "model.safetensors": weights } });
    server.fail({ match: isStorage, times: 2, do: { slowBytesPerSecond: 500_000 } });
    const folder = await temporaryFolder();
    const partial = join(folder, "models--org--name/blobs", `${sha256}.evomerge.incomplete`);
    const reached = [0];
    for (const _ of [1, 2]) {
      const child = startFetching(server, folder);
      const goal = reached.at(-1)! + 1 + Math.random() * 300_000;
      while (sizeOf(partial) < goal) await sleep(5);
      child.kill("SIGKILL");
      await once(child, "exit");
      reached.push(sizeOf(partial));
    }
    const snapshot = await outputOf(startFetching(server, folder));
    expect(
      createHash("sha256")
        .update(await readFile(join(snapshot, "model.safetensors")))
        .digest("hex"),
    ).toBe(sha256);
    const ranges = server.requests.filter(isStorage).map(({ range }) => range);
    expect(ranges).toEqual(reached.map((bytes) => `bytes=${bytes}-`));
    expect(await readdir(join(folder, "models--org--name/blobs"))).toEqual([sha256]);
  });

  test("fetches a blob once for two processes, and the second takes over when the first is killed", async () => {
    await using server = await LoopbackHub.start();
    server.addModel("org/name", { files: { "model.safetensors": weights } });
    server.fail({ match: isStorage, do: { stallAfterBytes: 400_000, stallMs: 60_000 } });
    const folder = await temporaryFolder();
    const partial = join(folder, "models--org--name/blobs", `${sha256}.evomerge.incomplete`);
    const first = startFetching(server, folder);
    while (sizeOf(partial) < 400_000) await sleep(5);
    const second = outputOf(startFetching(server, folder));
    while (server.requests.filter(({ path }) => path.includes("/revision/")).length < 2) await sleep(5);
    await sleep(200);
    expect(server.requests.filter(isStorage)).toHaveLength(1);
    first.kill("SIGKILL");
    const snapshot = await second;
    expect(
      createHash("sha256")
        .update(await readFile(join(snapshot, "model.safetensors")))
        .digest("hex"),
    ).toBe(sha256);
    expect(server.requests.filter(isStorage).map(({ range }) => range)).toEqual(["bytes=0-", "bytes=400000-"]);
  });
});
