import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { newRunFolder } from "../../src/run/run-folder.ts";
import { temporaryFolder } from "../temporary-folder.ts";

describe("newRunFolder", () => {
  test("is the name, or the first number behind it that is free", async () => {
    const results = await temporaryFolder();
    for (const name of ["demo", "demo-2", "demo-3"]) {
      expect(newRunFolder(results, "demo")).toBe(join(results, name));
      mkdirSync(join(results, name));
    }
  });
});
