import { readdirSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { recordedExperiment } from "../../src/experiment/recorded-experiment.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { tinyExperiment } from "../tiny-experiment.ts";

const shipped = join(import.meta.dirname, "..", "..", "experiments");
const files = readdirSync(shipped).filter((name) => name.endsWith(".yaml"));

/** The weights of each expert: a value, a line, and values by group. */
const recipes = {
  plain: { method: "task_arithmetic", weight: { nature: 0.5, craft: 1 } },
  lines: { method: "linear", weight: { nature: [0, 1], craft: { attention: [1, 0.5, 0], rest: -0 } } },
};

type Change = (experiment: Record<string, never> & Experiment) => object;

const faults: readonly (readonly [what: string, change: Change, says: string])[] = [
  ["nothing", () => [], "expected a mapping, found a list of 0"],
  ["no experts", () => ({ experts: [] }), "experts: expected at least 1 item"],
  [
    "experts of one name",
    ({ experts }) => ({ experts: [...experts, ...experts] }),
    "experts: expected every name once",
  ],
  ["an expert named base", ({ experts: [first] }) => ({ experts: [{ ...first, name: "base" }] }), "every name once"],
  ["a path that is none", () => ({ base: { toString: 1 } }), "base: expected a path, found a mapping"],
  ["rows that are none", ({ tasks: [task] }) => ({ tasks: [{ ...task, rows: [7] }] }), "tasks[0].rows"],
  [
    "a weight of 0",
    ({ tasks: [task] }) => ({ tasks: [{ ...task, weight: 0 }] }),
    "tasks[0].weight: expected more than 0",
  ],
  ["no budget", () => ({ budget: {} }), "budget: "],
  ["a budget in days", () => ({ budget: { days: 1 } }), "budget: "],
  ["an engine that is none", () => ({ engine: "steam" }), "engine: expected auto"],
  ["a seed that is none", () => ({ seed: 0.5 }), "seed: expected a whole number, found 0.5"],
  ["a population of 1", ({ search }) => ({ search: { ...search, population: 1 } }), "search.population"],
  [
    "a depth that is none",
    ({ space }) => ({ space: { ...space, depth: { curve: "__proto__", terms: 3 } } }),
    "space.depth",
  ],
  ["1e9 terms", ({ space }) => ({ space: { ...space, depth: { curve: "dct", terms: 1e9 } } }), "space.depth"],
  [
    "columns that are none",
    ({ space }) => ({ space: { ...space, columns: 1 } }),
    "space.columns: expected true or false",
  ],
  ["groups left out", ({ space }) => ({ space: { ...space, groups: [["mlp"]] } }), "space.groups: the group"],
  [
    "more experts than the method merges",
    ({ space }) => ({ space: { ...space, method: "slerp", parameters: {} } }),
    "experts: the method slerp merges 1 expert, and there are 2",
  ],
  ["a method that is none", ({ space }) => ({ space: { ...space, method: "constructor" } }), "space.method: expected"],
  [
    "a range from high to low",
    ({ space }) => ({ space: { ...space, parameters: { weight: { range: [1, 0], start: 1 } } } }),
    "space.parameters.weight.range: expected the lower end",
  ],
  [
    "a recipe without an expert",
    () => ({ recipes: { a: { method: "linear", parameters: { weight: { nature: { mlp: [1] } } } } } }),
    "recipes.a",
  ],
  ["a key too many", () => ({ more: 1 }), 'unknown key "more"'],
];

describe("recordedExperiment", () => {
  test.each(files)("takes what %s is in a journal", async (file) => {
    const experiment = await loadExperiment(join(shipped, file));
    expect(recordedExperiment("run", JSON.parse(JSON.stringify(experiment)))).toEqual(experiment);
  });

  test.each(["my run", "2024", "constructor", "ä"])("takes an experiment whose file is called %s", async (name) => {
    const path = join(await temporaryFolder(), `${name}.yaml`);
    const file = {
      base: "org/base",
      experts: ["org/a"],
      space: { method: "linear", groups: "all", depth: "constant" },
    };
    await writeFile(
      path,
      JSON.stringify({ ...file, tasks: { quiz: { rows: { dataset: "org/quiz" } } }, budget: { time: "1m" } }),
    );
    const experiment = await loadExperiment(path);
    expect(experiment.name).toBe(name);
    expect(recordedExperiment("run", JSON.parse(JSON.stringify(experiment)))).toEqual(experiment);
  });

  test("takes recipes, datasets and pins", async () => {
    const experiment = await tinyExperiment(await temporaryFolder(), { file: { recipes } });
    const pinned: Experiment = {
      ...experiment,
      base: `org/base@${"0".repeat(40)}`,
      tasks: [
        {
          name: "set",
          rows: { dataset: `org/set@${"0".repeat(40)}`, config: "a" },
          guard: ["/a"],
          weight: 0.5,
          loss: "bounded",
        },
      ],
      budget: { seconds: 0.001 },
    };
    expect(recordedExperiment("run", structuredClone(pinned))).toEqual(pinned);
  });

  test("takes the loss of before there was a choice where none is recorded", async () => {
    const experiment = await tinyExperiment(await temporaryFolder());
    const old = experiment.tasks.map((task) => ({ ...task, loss: undefined }));
    const tasks = experiment.tasks.map((task) => ({ ...task, loss: "softmax" }));
    expect(recordedExperiment("run", JSON.parse(JSON.stringify({ ...experiment, tasks: old })))).toEqual({
      ...experiment,
      tasks,
    });
  });

  test.each(faults)("refuses %s", async (...[, change, says]) => {
    const experiment = (await tinyExperiment(await temporaryFolder())) as Parameters<Change>[0];
    const changed = change(experiment);
    const found = Array.isArray(changed) ? changed : { ...experiment, ...changed };
    expect(() => recordedExperiment("run", found)).toThrow(UserError);
    expect(() => recordedExperiment("run", found)).toThrow(says);
    expect(() => recordedExperiment("run", found)).toThrow(/^run: the experiment in its journal cannot be one: /);
  });
});
