import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { type Draft, experimentText } from "../../src/init/experiment-text.ts";

const draft: Draft = {
  base: "/models/base",
  experts: new Map([["one", "/home/me/mine/one"]]),
  space: "adapters",
  tasks: new Map([["quiz", { rows: ["/home/me/mine/quiz.jsonl"], note: "12 rows" }]]),
  budget: "1h",
};

function schemaLine(folder: string, own: string): string | undefined {
  return experimentText(draft, folder, own).split("\n")[0];
}

describe("experimentText", () => {
  test("has paths from its folder on, and others as they are", () => {
    expect(parse(experimentText(draft, "/home/me/mine"))).toEqual({
      base: "/models/base",
      experts: { one: "one" },
      space: "adapters",
      tasks: { quiz: { rows: "quiz.jsonl" } },
      budget: { time: "1h" },
    });
  });

  test("means any path and dataset as it is", () => {
    const path = fc
      .string({ unit: "binary", minLength: 1 })
      .map((text) => join("/elsewhere", text.replaceAll(/[/.]/g, "-")));
    fc.assert(
      fc.property(path, path, fc.array(path, { minLength: 2, maxLength: 3 }), (base, one, files) => {
        const tasks = new Map([
          ["files", { rows: files, guard: [one] }],
          ["set", { rows: { dataset: "org/rows", config: base } }],
        ]);
        const text = experimentText({ ...draft, base, experts: new Map([["one", one]]), tasks }, "/home/me/mine");
        expect(parse(text)).toMatchObject({
          base,
          experts: { one },
          tasks: { files: { rows: files, guard: one }, set: { rows: { dataset: "org/rows", config: base } } },
        });
      }),
    );
  });

  test.each([
    [
      "a project that has the package",
      "/p/x/y",
      "/p/node_modules/evomerge",
      "../../node_modules/evomerge/schemas/experiment.json",
    ],
    ["the package's own checkout", "/p/evomerge/mine", "/p/evomerge", "../schemas/experiment.json"],
    [
      "any folder, of a global installation",
      "/p",
      "/usr/lib/node_modules/evomerge",
      "file:///usr/lib/node_modules/evomerge/schemas/experiment.json",
    ],
    ["a folder beside the checkout", "/p/mine", "/p/evo merge", "file:///p/evo%20merge/schemas/experiment.json"],
    [
      "a folder below a global installation's",
      "/usr/lib/x",
      "/usr/lib/node_modules/evomerge",
      "file:///usr/lib/node_modules/evomerge/schemas/experiment.json",
    ],
  ])("names the schema for editors in %s", (_, folder, own, schema) => {
    expect(schemaLine(folder, own)).toBe(`# yaml-language-server: $schema=${schema}`);
  });
});
