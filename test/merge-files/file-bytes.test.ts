import { closeSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { fillFrom, writeTo } from "../../src/merge-files/file-bytes.ts";
import { temporaryFolder } from "../temporary-folder.ts";

test("writes and reads pieces at their places, and says where a file ends before", async () => {
  const path = join(await temporaryFolder(), "file");
  const descriptor = openSync(path, "wx+");
  const place = { path, descriptor, start: 100 };
  const [first, second] = [300, 200].map((length) => Uint8Array.from({ length }, (_, i) => i % 251));
  writeTo(place, 300, second!);
  writeTo(place, 0, first!);
  expect(readFileSync(path)).toEqual(Buffer.concat([Buffer.alloc(100), first!, second!]));
  const read = new Uint8Array(200);
  fillFrom(place, 300, read);
  expect(read).toEqual(second);
  expect(() => fillFrom(place, 301, read)).toThrow(
    new UserError(`${path}: expected bytes up to 601, found the end at 600; it was cut while open`),
  );
  closeSync(descriptor);
});
