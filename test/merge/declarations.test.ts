import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { declarations, methodNames } from "../../src/merge/declarations.ts";
import { methodsTable, statedMethods, withMethods } from "./methods-table.ts";

describe("declarations", () => {
  test.each(methodNames)("%s is listed under its own name", (name) => {
    expect(declarations[name].name).toBe(name);
  });

  test.each(methodNames)("%s starts every parameter inside its range", (name) => {
    for (const { range, start } of declarations[name].parameters) {
      const [low, high] = range;
      const experts = [1, 2, 8];
      const starts = start === "uniform" ? experts.map((count) => 1 / count) : [start];
      expect(low).toBeLessThan(high);
      for (const value of starts) expect(value).toBeGreaterThanOrEqual(low);
      for (const value of starts) expect(value).toBeLessThanOrEqual(high);
    }
  });

  test("docs/methods.md has the table that write-methods.ts makes of them", async () => {
    const document = await readFile(join(import.meta.dirname, "..", "..", "docs", "methods.md"), "utf8");
    const { header, rows } = methodsTable();
    expect(statedMethods(document)).toEqual([header, ...rows]);
    expect(statedMethods(withMethods(document.replace("| `linear`", "| `lines`")))).toEqual([header, ...rows]);
  });
});
