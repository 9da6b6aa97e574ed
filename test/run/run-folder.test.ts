import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newRunFolder, removeUnused } from "../../src/run/run-folder.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("newRunFolder", () => {
  test("is the name, or the first number behind it that is free", async () => {
    const results = join(await temporaryFolder(), "results");
    for (const name of ["demo", "demo-2", "demo-3"]) {
      expect(newRunFolder(results, "demo")).toBe(join(results, name));
      // Nobody who comes at once gets the same.
      expect(existsSync(join(results, name))).toBe(true);
    }
  });

  test("takes no name that anything has, a link to nothing included", async () => {
    const results = await temporaryFolder();
    symlinkSync("nowhere", join(results, "demo"));
    writeFileSync(join(results, "demo-2"), "mine");
    mkdirSync(join(results, "demo-3"));
    expect(newRunFolder(results, "demo")).toBe(join(results, "demo-4"));
  });

  test("is had again when nothing was put into it", async () => {
    const results = await temporaryFolder();
    const folder = newRunFolder(results, "demo");
    removeUnused(folder);
    expect(newRunFolder(results, "demo")).toBe(folder);
    writeFileSync(join(folder, "journal.jsonl"), "");
    removeUnused(folder);
    expect(existsSync(join(folder, "journal.jsonl"))).toBe(true);
  });
});
