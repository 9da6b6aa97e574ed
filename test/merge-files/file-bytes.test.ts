import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { PiecesWritten } from "../../src/merge-files/file-bytes.ts";
import { flip } from "../flip.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("writes pieces at their places, and says where the file has others", async () => {
  const path = join(await temporaryFolder(), "file");
  const descriptor = openSync(path, "wx+");
  const pieces = new PiecesWritten({ path, descriptor, start: 100 });
  const [first, second] = [300, 200].map((length) => Uint8Array.from({ length }, (_, i) => i % 251));
  pieces.write(0, first!);
  pieces.write(300, second!);
  expect(readFileSync(path)).toEqual(Buffer.concat([Buffer.alloc(100), first!, second!]));
  flip(path, 450);
  pieces.check(0, first!);
  expect(() => pieces.check(300, second!)).toThrow(
    new UserError(`${path}: bytes 400 to 600 are not those that were written there; check the disk and merge again`),
  );
  closeSync(descriptor);
});
