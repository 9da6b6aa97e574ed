import { readdirSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { sha256OfTensor } from "../../src/checkpoint/tensor-hashes.ts";
import { UserError } from "../../src/errors.ts";
import { flip } from "../flip.ts";
import { adapterCases, adapterFolders } from "./adapter-folders.ts";
import { folderWith } from "./folder-with.ts";
import { safetensorsBytes } from "./safetensors-bytes.ts";

vi.mock("../../src/checkpoint/tensor-hashes.ts", { spy: true });

/** As if all files had been written a while ago. */
function later(): void {
  vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 60_000 });
  onTestFinished(() => void vi.useRealTimers());
}

/** How often tensors are hashed meanwhile. */
async function hashes(work: () => Promise<unknown>): Promise<number> {
  const before = vi.mocked(sha256OfTensor).mock.calls.length;
  await work();
  return vi.mocked(sha256OfTensor).mock.calls.length - before;
}

async function openOne(): Promise<{ checkpoint: Checkpoint; path: string }> {
  const file = safetensorsBytes({ a: { dtype: "BF16", shape: [4], data_offsets: [0, 8] } }, 8);
  const folder = await folderWith({ "model.safetensors": file });
  const checkpoint = await Checkpoint.open(folder);
  onTestFinished(() => checkpoint[Symbol.asyncDispose]());
  return { checkpoint, path: join(folder, "model.safetensors") };
}

test("a tensor is hashed once", async () => {
  const { checkpoint } = await openOne();
  later();
  expect(await hashes(() => checkpoint.read("a"))).toBe(1);
  expect(await hashes(() => checkpoint.read("a"))).toBe(0);
});

test("a tensor of a file that was written to just now is hashed each time", async () => {
  const { checkpoint } = await openOne();
  expect(await hashes(() => checkpoint.read("a"))).toBe(1);
  expect(await hashes(() => checkpoint.read("a"))).toBe(1);
});

test("a tensor of a file whose time alone has changed is hashed once more", async () => {
  const { checkpoint, path } = await openOne();
  later();
  await checkpoint.read("a");
  utimesSync(path, 1, 1);
  expect(await hashes(() => checkpoint.read("a"))).toBe(1);
  expect(await hashes(() => checkpoint.read("a"))).toBe(0);
});

test("a change is noticed of a file whose time is set back", async () => {
  const { checkpoint, path } = await openOne();
  later();
  await checkpoint.read("a");
  const { atime, mtime, size } = statSync(path);
  flip(path, size - 1);
  utimesSync(path, atime, mtime);
  await expect(checkpoint.read("a")).rejects.toThrow(UserError);
});

test("a change of an adapter is noticed in the tensors that it changes, and in no other", async () => {
  const { base, adapter } = await adapterFolders(adapterCases["a head"]!, "f32");
  await using checkpoint = await Checkpoint.open(adapter, { base });
  await using full = await Checkpoint.open(base);
  later();
  const names = [...checkpoint.tensors.keys()];
  const read = (): Promise<unknown> => Promise.all(names.map((name) => checkpoint.read(name)));
  expect(await hashes(read)).toBe(names.length);
  const changed: string[] = [];
  for (const name of names)
    if (Buffer.compare(await full.read(name), await checkpoint.read(name)) !== 0) changed.push(name);
  expect(changed).toContain("lm_head.weight");
  const path = join(
    adapter,
    readdirSync(adapter).find((name) => name.endsWith(".safetensors"))!,
  );
  utimesSync(path, 1, 1);
  expect(await hashes(read)).toBe(changed.length);
  flip(path, statSync(path).size - 2);
  await expect(read()).rejects.toThrow(/^\S+: tensor \S+: expected f32/);
});
