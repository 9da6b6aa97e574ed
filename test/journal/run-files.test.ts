import { mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { Journal } from "../../src/journal/journal.ts";
import { RUN_NAMES } from "../../src/journal/run-files.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const create = (folder: string): Journal => Journal.create(folder, { experiment: {}, identity: {}, versions: {} });

describe("a new run", () => {
  test.each(RUN_NAMES.filter((name) => name !== "journal.jsonl"))("is refused where %s is another's", async (name) => {
    const folder = await temporaryFolder();
    const path = join(folder, name);
    const makers: (() => void)[] = [
      () => writeFileSync(path, "mine"),
      () => mkdirSync(path),
      () => symlinkSync("nowhere", path),
    ];
    for (const make of makers) {
      make();
      expect(() => create(folder)).toThrow(
        new UserError(`${path} belongs to no run here and would be replaced; move it or choose another folder`),
      );
      expect(readdirSync(folder)).toEqual([name]);
      rmSync(path, { recursive: true });
    }
  });

  test("takes a folder with other files, and what a creation left that was stopped", async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, "notes.md"), "mine");
    writeFileSync(join(folder, "numbers.bin"), "");
    create(folder).close();
    expect(readdirSync(folder).toSorted()).toEqual(["journal.jsonl", "notes.md", "numbers.bin"]);
    expect(readFileSync(join(folder, "notes.md"), "utf8")).toBe("mine");
  });
});
