import { execFileSync } from "node:child_process";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { replaceableFile } from "../../src/files/replaceable-file.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("replaceableFile", () => {
  test("is a new name, a file, or what a link leads to", async () => {
    const folder = await temporaryFolder();
    const [file, link] = [join(folder, "file.csv"), join(folder, "link.csv")];
    expect(await replaceableFile(file)).toBe(file);
    await writeFile(file, "");
    expect(await replaceableFile(file)).toBe(file);
    await symlink("file.csv", link);
    expect(await replaceableFile(link)).toBe(file);
  });

  test.each<[string, (path: string) => unknown, RegExp]>([
    ["a pipe", (path) => execFileSync("mkfifo", [path]), /: it is not a regular file; choose another name$/],
    ["a folder", (path) => mkdir(path), /: it is not a regular file; choose another name$/],
    ["a link to a device", (path) => symlink("/dev/null", path), /: it is not a regular file; choose another name$/],
    ["a link to nothing", (path) => symlink("nothing", path), /: no such file or directory$/],
    ["a link to itself", (path) => symlink(path, path), /: too many symbolic links encountered$/],
  ])("is not %s", async (_, make, message) => {
    const path = join(await temporaryFolder(), "file.csv");
    await make(path);
    await expect(replaceableFile(path)).rejects.toThrow(message);
    await expect(replaceableFile(path)).rejects.toThrow(UserError);
    await expect(replaceableFile(path)).rejects.toThrow(`cannot write ${path}: `);
  });

  test("is in a folder that is there", async () => {
    const path = join(await temporaryFolder(), "none", "file.csv");
    await expect(replaceableFile(path)).rejects.toThrow(`cannot write ${path}: no such file or directory`);
  });
});
