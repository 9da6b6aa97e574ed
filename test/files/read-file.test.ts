import { execFileSync } from "node:child_process";
import { symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { readFileWithin, readTextWithin } from "../../src/files/read-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const expected = { what: "a note", maxBytes: 100 };

test("a file of exactly the limit is read whole", async () => {
  const path = join(await temporaryFolder(), "note");
  await writeFile(path, "x".repeat(100));
  await expect(readTextWithin(path, expected)).resolves.toBe("x".repeat(100));
});

test("a larger file is refused, however large it says to be", async () => {
  const path = join(await temporaryFolder(), "note");
  await writeFile(path, "x");
  await truncate(path, 2 ** 40);
  await expect(readFileWithin(path, expected)).rejects.toThrow(
    new UserError(`${path}: expected a note, found more than 100 bytes`),
  );
});

test("a pipe, a device and a folder are refused without waiting for them", async () => {
  const folder = await temporaryFolder();
  const pipe = join(folder, "pipe");
  execFileSync("mkfifo", [pipe]);
  const link = join(folder, "link");
  await symlink("/dev/zero", link);
  for (const path of [pipe, link, folder]) {
    await expect(readFileWithin(path, expected)).rejects.toThrow(
      new UserError(`${path}: expected a note, found something that is not a regular file`),
    );
  }
});

test("a file that tells no size is read to its end", async () => {
  const version = await readTextWithin("/proc/version", { what: "a version", maxBytes: 10_000 });
  expect(version).toMatch(/^Linux version .*\n$/s);
});

test("a missing file and one that is not text are said", async () => {
  const path = join(await temporaryFolder(), "note");
  await expect(readTextWithin(path, expected)).rejects.toThrow(
    new UserError(`${path}: no such file or directory; expected a note`),
  );
  await writeFile(path, Buffer.from([0x61, 0xff]));
  await expect(readTextWithin(path, expected)).rejects.toThrow(
    new UserError(`${path}: expected a note, found bytes that are not UTF-8`),
  );
});
