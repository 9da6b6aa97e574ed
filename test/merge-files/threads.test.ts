import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { eitherOf, OwnHand, Thread } from "../../src/merge-files/hand.ts";
import type { HashTask } from "../../src/merge-files/task.ts";
import { MergeThreads } from "../../src/merge-files/threads.ts";
import { sha256Of } from "../../src/files/sha256.ts";
import { sumOfCopy } from "../../src/tensor/wasm/byte-sum.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const hashOf = (descriptor: number, path: string): HashTask => ({
  kind: "hash",
  place: { path, descriptor, start: 0 },
  bytes: Buffer.byteLength("content"),
  sum: sumOfCopy(Buffer.from("content")),
});

async function openFile(): Promise<readonly [descriptor: number, path: string]> {
  const path = join(await temporaryFolder(), "file");
  writeFileSync(path, "content");
  return [openSync(path, "r"), path];
}

test("a thread that ends does nothing of what it was asked for", async () => {
  const [descriptor, path] = await openFile();
  const hands = await new MergeThreads().open(1, undefined);
  const [hand] = hands.hashing;
  const asked = ["first", "second"].map(() => hand!.do(hashOf(descriptor, path)));
  const ends = Promise.allSettled(asked);
  await hands[Symbol.asyncDispose]();
  closeSync(descriptor);
  const [, second] = await ends;
  expect(second).toMatchObject({ reason: new Error("merge: a thread ended before its task") });
});

test("begin once, and then have as many that hash as there are files and half of those that merge", async () => {
  await using threads = new MergeThreads();
  threads.begin(1, 0);
  expect((await threads.open(1, undefined)).merging).toHaveLength(1);
  threads.begin(1, 3);
  threads.begin(1, 4);
  const { merging, hashing } = await threads.open(5, undefined);
  expect([merging.length, hashing.length]).toEqual([3, 2]);
});

test("where one cannot be started, this one does all", async () => {
  const [descriptor, path] = await openFile();
  await using threads = new MergeThreads();
  threads.begin(1, 2);
  // As they are when there is no memory for them.
  await threads[Symbol.asyncDispose]();
  await using hands = await threads.open(1, undefined);
  expect(hands.merging).toEqual(hands.hashing);
  expect(await hands.hashing[0]!.do(hashOf(descriptor, path))).toEqual({ sha256: sha256Of("content") });
  closeSync(descriptor);
});

test("an abort while threads start ends them", async () => {
  const abort = new AbortController();
  const threads = new MergeThreads();
  threads.begin(1, 2);
  const opening = threads.open(1, abort.signal);
  abort.abort(new Error("enough"));
  await expect(opening).rejects.toThrow("enough");
  // Nothing is left of them that could be opened.
  const { merging } = await threads.open(1, undefined);
  expect(merging).toHaveLength(1);
});

test("where a thread that hashes cannot be started, another hand does", async () => {
  const [descriptor, path] = await openFile();
  const thread = new Thread("hashing");
  const hand = eitherOf(thread, new OwnHand());
  const asked = hand.do(hashOf(descriptor, path));
  await thread[Symbol.asyncDispose]();
  expect(await asked).toEqual({ sha256: sha256Of("content") });
  closeSync(descriptor);
});
