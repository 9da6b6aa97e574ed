import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { sha256Of } from "../../src/files/sha256.ts";
import { FilesReadBack } from "../../src/merge-files/read-back.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("hashes a file part by part, and says where it is not what was written", async () => {
  const path = join(await temporaryFolder(), "file");
  const content = Uint8Array.from({ length: 700_000 }, (_, i) => i % 251);
  writeFileSync(path, content);
  const descriptor = openSync(path, "r");
  const files = new FilesReadBack();
  const read = (start: number, end: number): Promise<{ sha256: string }> =>
    files.read({
      kind: "read back",
      path,
      descriptor,
      start,
      bytes: end - start,
      crc32: crc32(content.subarray(start, end)),
    });
  await read(0, 1000);
  await read(1000, 1000);
  const { sha256 } = await read(1000, 600_000);
  expect(sha256).toBe(sha256Of(content.subarray(0, 600_000)));
  flip(path, 650_000);
  await expect(read(600_000, 700_000)).rejects.toThrow(
    new UserError(
      `${path}: bytes 600000 to 700000 are not those that were written there; check the disk and merge again`,
    ),
  );
  closeSync(descriptor);
});
