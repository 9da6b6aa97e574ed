import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { StagedFile, writeFileAtomic } from "../../src/files/atomic-file.ts";
import { UserError } from "../../src/errors.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("atomic file", () => {
  test("writes text and bytes, over an old file or anew", async () => {
    const folder = await temporaryFolder();
    await writeFileAtomic(join(folder, "a"), "old and longer");
    await writeFileAtomic(join(folder, "a"), "naïve");
    await writeFileAtomic(join(folder, "b"), Uint8Array.of(0, 255));
    expect(readFileSync(join(folder, "a"), "utf8")).toBe("naïve");
    expect([...readFileSync(join(folder, "b"))]).toEqual([0, 255]);
    expect(readdirSync(folder)).toEqual(["a", "b"]);
  });

  test("shows readers a whole version at any time, also with several writers", async () => {
    const path = join(await temporaryFolder(), "a");
    const versions = ["1", "2", "3", "4"].map((digit) => digit.repeat(300_000));
    await writeFileAtomic(path, versions[0]!);
    const writes = versions.map((version) => writeFileAtomic(path, version));
    const reads = Array.from({ length: 40 }, () => readFile(path, "utf8"));
    await Promise.all(writes);
    const seen = new Set(await Promise.all(reads));
    expect([...seen].filter((text) => !versions.includes(text))).toEqual([]);
  });

  test("keeps the old file until it is published, and leaves nothing when it is not", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "a"), "old");
    {
      await using file = await StagedFile.create(join(folder, "a"), 3);
      await file.append("new");
      await file.close();
      expect(readFileSync(join(folder, "a"), "utf8")).toBe("old");
      expect(readdirSync(folder)).toHaveLength(2);
    }
    expect(readdirSync(folder)).toEqual(["a"]);
  });

  test("reports a folder that does not exist", async () => {
    const path = join(await temporaryFolder(), "no", "a");
    await expect(writeFileAtomic(path, "")).rejects.toThrow(
      new UserError(`cannot write ${path}: no such file or directory`),
    );
  });

  test("reports a path that is a folder and removes its temporary file", async () => {
    const folder = await temporaryFolder();
    mkdirSync(join(folder, "a"));
    await expect(writeFileAtomic(join(folder, "a"), "")).rejects.toThrow(UserError);
    expect(readdirSync(folder)).toEqual(["a"]);
  });
});
