import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openHands } from "../../src/merge-files/threads.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("a thread that ends does nothing of what it was asked for", async () => {
  const path = join(await temporaryFolder(), "file");
  writeFileSync(path, "content");
  const place = { path, descriptor: openSync(path, "r"), start: 0 };
  const hands = await openHands({ threads: 0, bytes: 1, files: 1, signal: undefined });
  const [hand] = hands.hashing;
  const asked = ["first", "second"].map(() => hand!.do({ kind: "hash", place, bytes: 7 }));
  const ends = Promise.allSettled(asked);
  await hands[Symbol.asyncDispose]();
  closeSync(place.descriptor);
  const [, second] = await ends;
  expect(second).toMatchObject({ reason: new Error("merge: a thread ended before its task") });
});

test("an abort while threads start ends them", async () => {
  const abort = new AbortController();
  const opening = openHands({ threads: 2, bytes: 1, files: 1, signal: abort.signal });
  abort.abort(new Error("enough"));
  await expect(opening).rejects.toThrow("enough");
});
