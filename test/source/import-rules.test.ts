import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { importFaults, readFolderRules, tableFaults, unusedRules } from "./import-rules.ts";
import { root, sourceFiles } from "./source-files.ts";

const rules = readFolderRules(readFileSync(join(root, "docs", "architecture.md"), "utf8"));
const files = sourceFiles("src");

describe("the table of folders in docs/architecture.md", () => {
  test("is about every file, and allows every import", () => {
    expect(importFaults(rules, files)).toEqual([]);
  });

  test("lets no folder import what stands below it", () => {
    expect(tableFaults(rules)).toEqual([]);
  });

  test("allows nothing that nobody needs", () => {
    expect(unusedRules(rules, files)).toEqual([]);
  });
});

describe("importFaults", () => {
  const table = [
    { place: "errors.ts", mayImport: [] },
    { place: "files/", mayImport: [] },
    { place: "hub/api/", mayImport: ["files"] },
    { place: "hub/cache/", mayImport: ["hub/api"] },
    { place: "export/", mayImport: ["hub"] },
    { place: "cli/", mayImport: "all" },
  ] as const;
  const faults = (path: string, text: string): string[] => importFaults(table, [{ path, text }]);

  test.each([
    ["hub/api/ask.ts", 'import { a } from "../../files/a.ts";'],
    ["hub/api/ask.ts", 'import { a } from "../../errors.ts";'],
    ["hub/api/ask.ts", 'export { a } from "./within/a.ts";'],
    ["hub/api/within/a.ts", 'import { a } from "../../../files/a.ts";'],
    ["export/x.ts", 'import { a } from "../hub/cache/a.ts";'],
    ["export/x.ts", 'import { z } from "zod";'],
    ["cli/x.ts", 'const { a } = await import("../export/x.ts");'],
  ])("takes what the table allows: %s: %s", (path, text) => {
    expect(faults(path, text)).toEqual([]);
  });

  test.each([
    ["hub/api/ask.ts", 'import { a } from "../cache/a.ts";', "hub/cache/a.ts"],
    ["hub/api/within/a.ts", 'import { a } from "../../cache/a.ts";', "hub/cache/a.ts"],
    ["files/x.ts", 'import type { A } from "../export/a.ts";', "export/a.ts"],
    ["files/x.ts", 'export * from "../export/a.ts";', "export/a.ts"],
    ["files/x.ts", 'import "../export/a.ts";', "export/a.ts"],
    ["files/x.ts", 'type A = import("../export/a.ts").A;', "export/a.ts"],
    ["files/x.ts", 'new Worker(new URL("../export/a.ts", import.meta.url));', "export/a.ts"],
    ["files/x.ts", 'import { a } from "../unknown/a.ts";', "unknown/a.ts"],
  ])("names file and line of what it does not: %s: %s", (path, text, target) => {
    expect(faults(path, `// first line\n${text}`)).toEqual([expect.stringContaining(`${path}:2: imports ${target};`)]);
  });

  test("knows the line of an import of several lines", () => {
    expect(faults("files/x.ts", 'import {\n  a,\n} from "../export/a.ts";')).toEqual([
      "files/x.ts:3: imports export/a.ts; the row of files/ allows nothing",
    ]);
  });

  test.each([["new-folder/x.ts"], ["hub/x.ts"], ["loose.ts"]])("refuses a file that no row is about: %s", (path) => {
    expect(faults(path, "")).toEqual([`${path}:1: the table of folders has no row for it`]);
  });

  test("refuses what it cannot read", () => {
    expect(faults("files/x.ts", "await import(name);")).toEqual([
      "files/x.ts:1: imports what only a run of it can tell",
    ]);
  });

  test("finds what no row stands above, and what nobody needs", () => {
    const circle = [...table, { place: "run/", mayImport: ["run", "doctor"] }];
    expect(tableFaults(circle)).toEqual([
      "run/ may import run, which has no row above it",
      "run/ may import doctor, which has no row above it",
    ]);
    expect(unusedRules(table.slice(0, 3), [{ path: "hub/api/a.ts", text: "" }])).toEqual([
      "errors.ts: no file is there",
      "files/: no file is there",
      "hub/api/ imports nothing of files",
    ]);
  });
});
