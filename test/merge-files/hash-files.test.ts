import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { sha256Of } from "../../src/files/sha256.ts";
import { FileHashes } from "../../src/merge-files/hash-files.ts";
import { sumOfCopy } from "../../src/tensor/wasm/byte-sum.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("hashes files part by part, each for itself, and says where one has not what was written", async () => {
  const folder = await temporaryFolder();
  const contents = [700_000, 1000].map((length) => Uint8Array.from({ length }, (_, i) => i % 251));
  const places = contents.map((content, i) => {
    const path = join(folder, String(i));
    writeFileSync(path, content);
    return { path, descriptor: openSync(path, "r"), start: 0 };
  });
  const hashes = new FileHashes();
  const add = (file: number, from: number, to: number): Promise<string> => {
    const sum = sumOfCopy(contents[file]!.subarray(from, to));
    return hashes.add({ kind: "hash", place: { ...places[file]!, start: from }, bytes: to - from, sum });
  };
  await add(0, 0, 1000);
  await add(1, 0, 1000);
  await add(0, 1000, 1000);
  expect(await add(0, 1000, 600_000)).toBe(sha256Of(contents[0]!.subarray(0, 600_000)));
  expect(await add(1, 1000, 1000)).toBe(sha256Of(contents[1]!));
  const { path } = places[0]!;
  flip(path, 650_000);
  await expect(add(0, 600_000, 700_000)).rejects.toThrow(
    new UserError(
      `${path}: bytes 600000 to 700000 are not those that were written there; check the disk and merge again`,
    ),
  );
  for (const { descriptor } of places) closeSync(descriptor);
});
