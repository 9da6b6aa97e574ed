import { execFileSync } from "node:child_process";
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { readCompanions } from "../../src/export/companions.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("readCompanions", () => {
  test("takes configuration, tokenizer and licences, and no folder, whatever its name", async () => {
    const folder = await temporaryFolder();
    for (const name of ["config.json", "tokenizer.json", "LICENSE", "Notice.txt", "training_args.bin", "model.py"]) {
      await writeFile(join(folder, name), name);
    }
    await mkdir(join(folder, "LICENSES"));
    await writeFile(join(folder, "LICENSES", "MIT.txt"), "MIT");
    const companions = await readCompanions(folder);
    expect(Array.from(companions, ([name, content]) => [name, String(content)])).toEqual(
      ["LICENSE", "Notice.txt", "config.json", "tokenizer.json"].map((name) => [name, name]),
    );
  });

  test("follows links within the folder, and into the blobs of the Hub's cache", async () => {
    const repository = join(await temporaryFolder(), "models--org--name");
    const snapshot = join(repository, "snapshots", "0123");
    await mkdir(join(repository, "blobs"), { recursive: true });
    await mkdir(snapshot, { recursive: true });
    await writeFile(join(repository, "blobs", "ab"), "{}");
    await symlink("../../blobs/ab", join(snapshot, "config.json"));
    await symlink("config.json", join(snapshot, "LICENSE"));
    const alias = join(repository, "model");
    await symlink(snapshot, alias);
    for (const folder of [snapshot, alias]) {
      expect([...(await readCompanions(folder)).keys()]).toEqual(["LICENSE", "config.json"]);
    }
  });

  test.each([
    ["to a file elsewhere", "../secret"],
    ["to a file elsewhere, by its whole path", "/etc/passwd"],
    ["beside the blobs", "../../refs/main"],
    ["to a folder whose name begins with the model's", "../0123-4/LICENSE"],
  ])("refuses a link that leads %s", async (_, target) => {
    const repository = await temporaryFolder();
    const snapshot = join(repository, "snapshots", "0123");
    for (const path of ["snapshots/0123", "snapshots/0123-4", "refs"]) {
      await mkdir(join(repository, path), { recursive: true });
    }
    for (const path of ["snapshots/secret", "snapshots/0123-4/LICENSE", "refs/main"]) {
      await writeFile(join(repository, path), "secret");
    }
    await symlink(target, join(snapshot, "LICENSE"));
    const said = await refusal(readCompanions(snapshot));
    expect(said.startsWith(`${join(snapshot, "LICENSE")}: a link that leads out of the model's folder, to /`)).toBe(
      true,
    );
  });

  test("refuses a link that leads nowhere, a pipe and a file that is too large, in one sentence", async () => {
    const folder = await temporaryFolder();
    const path = join(folder, "LICENSE");
    await symlink("nowhere", path);
    expect(await refusal(readCompanions(folder))).toBe(`cannot read ${path}: no such file or directory`);

    const withPipe = await temporaryFolder();
    execFileSync("mkfifo", [join(withPipe, "NOTICE")]);
    expect(await refusal(readCompanions(withPipe))).toContain("found something that is not a regular file");

    const withHuge = await temporaryFolder();
    await writeFile(join(withHuge, "tokenizer.json"), "");
    await truncate(join(withHuge, "tokenizer.json"), 2 ** 40);
    expect(await refusal(readCompanions(withHuge))).toContain("found more than 256 MiB");
  });
});
