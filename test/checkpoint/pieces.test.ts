import { createHash } from "node:crypto";
import { open, writeFile, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { readRange, updateHash } from "../../src/checkpoint/pieces.ts";
import { UserError } from "../../src/errors.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const content = Uint8Array.from({ length: 100 }, (_, i) => i);

async function openContent(): Promise<FileHandle> {
  const path = join(await temporaryFolder(), "file");
  await writeFile(path, content);
  const handle = await open(path);
  onTestFinished(() => handle.close());
  return handle;
}

describe("reading in pieces", () => {
  test.each([1, 7, 30, 60, 1000])("gives the same bytes in pieces of %d", async (pieceBytes) => {
    const bytes = await readRange(await openContent(), "x", 20, 60, { pieceBytes });
    expect(bytes).toEqual(content.slice(20, 80));
  });

  test("reads into memory that is given, of that very length", async () => {
    const memory = new Uint8Array(80);
    const into = memory.subarray(10, 70);
    expect(await readRange(await openContent(), "x", 20, 60, { into })).toBe(into);
    expect(memory).toEqual(Uint8Array.from([...Array(10).fill(0), ...content.slice(20, 80), ...Array(10).fill(0)]));
    await expect(readRange(await openContent(), "x", 20, 61, { into })).rejects.toThrow("61 bytes do not go into 60");
  });

  test("reads nothing at the end of a file", async () => {
    expect(await readRange(await openContent(), "x", 100, 0)).toHaveLength(0);
  });

  test.each([7, 1000])("reports where a file ends too early, in pieces of %d", async (pieceBytes) => {
    await expect(readRange(await openContent(), "x", 90, 20, { pieceBytes })).rejects.toThrow(
      new UserError("x: expected bytes up to 110, found the end at 100; it was cut while open"),
    );
  });

  test("reports a range that no memory can hold", async () => {
    await expect(readRange(await openContent(), "x", 0, 2 ** 52)).rejects.toThrow(
      new UserError("x: not enough memory to read 4503599627370496 bytes at once"),
    );
  });
});

describe("hashing in pieces", () => {
  test.each([1, 7, 100, 1000])("gives the same hash in pieces of %d", async (pieceBytes) => {
    const hash = createHash("sha256");
    await updateHash(hash, content, pieceBytes);
    expect(hash.digest("hex")).toBe(createHash("sha256").update(content).digest("hex"));
  });
});
