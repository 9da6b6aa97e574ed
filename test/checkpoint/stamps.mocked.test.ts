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

test("rows of a tensor are those that were hashed, and no more than these are read again", async () => {
  const [rows, rowBytes] = [1000, 2 ** 11];
  const bytes = rows * rowBytes;
  const file = safetensorsBytes({ a: { dtype: "BF16", shape: [rows, rowBytes / 2], data_offsets: [0, bytes] } }, bytes);
  for (let i = 1; i <= bytes; i += 1) file[file.length - i] = (i * 31) >> 4;
  const folder = await folderWith({ "model.safetensors": file });
  await using checkpoint = await Checkpoint.open(folder);
  later();
  const asked = Int32Array.of(0, 1, 17, 500, 998, 999);
  const whole = file.subarray(file.length - bytes);
  const expected = Buffer.concat([...asked].map((row) => whole.subarray(row * rowBytes, (row + 1) * rowBytes)));
  const read = async (): Promise<number> => {
    const before = checkpoint.bytesRead;
    const into = new Uint8Array(asked.length * rowBytes);
    expect(Buffer.compare(await checkpoint.readRows("a", asked, into), expected)).toBe(0);
    expect(Buffer.compare(into, expected)).toBe(0);
    return checkpoint.bytesRead - before;
  };
  expect(checkpoint.canReadRows("a")).toBe(false);
  expect(await hashes(async () => expect(await read()).toBe(bytes))).toBe(1);
  expect(checkpoint.canReadRows("a")).toBe(true);
  // Rows 0 to 17 are read together.
  expect(await hashes(async () => expect(await read()).toBe((18 + 1 + 2) * rowBytes))).toBe(0);
  const path = join(folder, "model.safetensors");
  utimesSync(path, 1, 1);
  expect(await hashes(async () => expect(await read()).toBeGreaterThan(bytes))).toBe(1);
  flip(path, statSync(path).size - 1);
  await expect(checkpoint.readRows("a", asked)).rejects.toThrow(UserError);
});

test("a tensor that another process has hashed is not hashed again, unless its file is another by now", async () => {
  const { checkpoint, path } = await openOne();
  later();
  await checkpoint.read("a");
  const openAgain = async (): Promise<Checkpoint> => {
    const again = await Checkpoint.open(checkpoint.folder);
    onTestFinished(() => again[Symbol.asyncDispose]());
    again.expect(checkpoint.known, undefined, checkpoint.stamps);
    return again;
  };
  const again = await openAgain();
  expect(await hashes(() => again.read("a"))).toBe(0);
  utimesSync(path, 1, 1);
  expect(await hashes(() => again.read("a"))).toBe(1);
  flip(path, statSync(path).size - 1);
  const other = await openAgain();
  await expect(other.read("a")).rejects.toThrow(/tensor a: expected bf16 \[4\] \w+ as when it was first read/);
});
