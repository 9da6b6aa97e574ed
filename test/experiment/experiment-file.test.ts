import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { type Experiment, withOverrides } from "../../src/experiment/experiment.ts";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { defaultLoss } from "../../src/tasks/row-loss.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { mergeSpace } from "../merge-space.ts";

const least = [
  "base: ./models/base",
  "experts: [./models/nature, ./models/craft]",
  "space: { method: linear, groups: all, depth: constant }",
  "tasks: { xsum: { rows: xsum.jsonl } }",
  "budget: { time: 10m }",
];

const folders = ["models/base", "models/nature", "models/craft", "guard"];
const files = ["xsum.jsonl", "quiz.jsonl", "a.jsonl", "b.jsonl", "guard/b.jsonl", "a.csv", "b.csv"];

/** A folder with all that the experiments here name, none of which is opened. */
async function folderOfAll(): Promise<string> {
  const folder = await temporaryFolder();
  for (const path of folders) await mkdir(join(folder, path), { recursive: true });
  for (const path of files) await writeFile(join(folder, path), "");
  return folder;
}

/** Loads the least experiment with the given lines in place of those that begin with the same key. */
async function load(...lines: string[]): Promise<{ folder: string; experiment: Experiment }> {
  const folder = await folderOfAll();
  const path = join(folder, "first-try.yaml");
  const keys = new Set(lines.map((line) => line.split(":")[0]));
  const text = [...least.filter((line) => !keys.has(line.split(":")[0])), ...lines].join("\n");
  await writeFile(path, text);
  return { folder, experiment: await loadExperiment(path) };
}

function spaceOf(method: string): string {
  return `space: { method: ${method}, groups: all, depth: constant }`;
}

describe("loadExperiment", () => {
  test("fills every default in and makes every path absolute", async () => {
    const { folder, experiment } = await load();
    expect(experiment).toEqual({
      name: "first-try",
      base: join(folder, "models/base"),
      experts: [
        { name: "nature", path: join(folder, "models/nature") },
        { name: "craft", path: join(folder, "models/craft") },
      ],
      space: {
        method: "linear",
        groups: [["attention", "mlp", "norm", "embedding"]],
        depth: { curve: "constant" },
        parameters: { weight: { range: [0, 1], start: "uniform" } },
      },
      tasks: [{ name: "xsum", rows: [join(folder, "xsum.jsonl")], weight: 1, loss: defaultLoss }],
      search: { algorithm: "auto", population: "auto", rowFraction: "auto", seedFromBaselines: true },
      budget: { seconds: 600 },
      engine: "auto",
      precision: "auto",
      seed: 1,
    });
    expect(JSON.parse(JSON.stringify(experiment))).toEqual(experiment);
  });

  test("searches input columns by gradient only", async () => {
    const space = "space: { method: linear, groups: tensors, depth: per-layer, columns: true }";
    expect(mergeSpace((await load(space)).experiment.space).columns).toBe(true);
    await load(space, "search: { algorithm: lineages }");
    await load("search: { algorithm: cma-es }");
    await expect(load(space, "search: { algorithm: cma-es }")).rejects.toThrow(
      "search.algorithm: expected one that uses gradients, gradient-walk, lineages or front-walk, since the search space has columns, found cma-es; leave it out, or take a space without columns",
    );
  });

  test("takes a population where the search of the space has one", async () => {
    const search = "search: { algorithm: auto, population: 4 }";
    const space = "space: { method: stack, layers: { atMost: 4 }, window: 1 }";
    expect((await load(space, search)).experiment.search).toMatchObject({ algorithm: "auto", population: 4 });
    await expect(load(search)).rejects.toThrow(
      "first-try.yaml:6:40: search.population: a gradient-walk is one point and has no population; leave it out, or name an algorithm that has one",
    );
  });

  test("takes as many experts as the space's method merges", async () => {
    expect((await load(spaceOf("nuslerp"))).experiment.experts).toHaveLength(2);
    await expect(load(spaceOf("slerp"))).rejects.toThrow(
      "first-try.yaml:5:8: space: the method slerp merges 1 expert, and there are 2; take other experts, or another method",
    );
    await expect(load(spaceOf("multislerp"), "experts: [models/nature]")).rejects.toThrow(
      "space: the method multislerp merges at least 2 experts, and there is 1",
    );
  });

  test("reads everything that a file can say", async () => {
    const { folder, experiment } = await load(
      "name: second",
      "experts: { wild: /, made: ../ }",
      "tasks: { b: { rows: b.jsonl, guard: guard/b.jsonl, weight: 2 }, a: { rows: a.jsonl } }",
      "search: { algorithm: random, population: 8, rowFraction: 0.25, seedFromBaselines: false }",
      "budget: { evaluations: 200 }",
      "engine: tfjs",
      "precision: bf16",
      "seed: 7",
    );
    expect(experiment).toMatchObject({
      name: "second",
      experts: [
        { name: "wild", path: "/" },
        { name: "made", path: dirname(folder) },
      ],
      tasks: [
        { name: "b", guard: [join(folder, "guard/b.jsonl")], weight: 2 },
        { name: "a", weight: 1 },
      ],
      search: { algorithm: "random", population: 8, rowFraction: 0.25, seedFromBaselines: false },
      budget: { evaluations: 200 },
      engine: "tfjs",
      precision: "bf16",
      seed: 7,
    });
    expect(experiment.tasks[1]).not.toHaveProperty("guard");
  });

  test("takes org/name for a model of the Hub unless a folder of that name is there", async () => {
    const { folder, experiment } = await load("base: org/base@v1", "experts: [org/nature, org/craft@refs/pr/1]");
    expect(experiment.base).toBe("org/base@v1");
    expect(experiment.experts).toEqual([
      { name: "nature", path: "org/nature" },
      { name: "craft", path: "org/craft@refs/pr/1" },
    ]);
    await mkdir(join(folder, "org", "nature"), { recursive: true });
    const again = await loadExperiment(join(folder, "first-try.yaml"));
    expect(again.experts[0]).toEqual({ name: "nature", path: join(folder, "org/nature") });
  });

  test("takes rows from several files and from a dataset of the Hub", async () => {
    const { folder, experiment } = await load(
      "tasks: { cosmosqa: { rows: { dataset: org/rows@v2 }, guard: [a.csv, b.csv] }, xsum: { rows: { dataset: org/rows, config: x, split: dev } } }",
    );
    expect(experiment.tasks).toEqual([
      {
        name: "cosmosqa",
        rows: { dataset: "org/rows@v2", config: "cosmosqa" },
        guard: [join(folder, "a.csv"), join(folder, "b.csv")],
        weight: 1,
        loss: defaultLoss,
      },
      { name: "xsum", rows: { dataset: "org/rows", config: "x", split: "dev" }, weight: 1, loss: defaultLoss },
    ]);
  });

  test("takes the loss of choices that a task names, and lists them where there is no such loss", async () => {
    const { experiment } = await load("tasks: { quiz: { rows: quiz.jsonl, loss: length-normalised } }");
    expect(experiment.tasks[0]!.loss).toBe("length-normalised");
    await expect(load("tasks: { quiz: { rows: quiz.jsonl, loss: hinge } }")).rejects.toThrow(
      /tasks\.quiz\.loss: expected .*softmax.*length-normalised.*bounded.*found "hinge"/,
    );
  });

  test("reads the search space that it names beside itself, and its faults are that file's", async () => {
    const folder = await folderOfAll();
    await mkdir(join(folder, "spaces"));
    const path = join(folder, "experiment.yaml");
    const space = join(folder, "spaces/mine.yaml");
    await writeFile(path, [...least.filter((line) => !line.startsWith("space")), "space: spaces/mine.yaml"].join("\n"));
    await expect(loadExperiment(path)).rejects.toThrow(
      `${path}:5:8: space: expected a search space that ships with evomerge, or a file, found none at ${space}`,
    );
    await writeFile(space, "method: linear\ngroups: all\ndepth: { dct: 2 }\n");
    expect(mergeSpace((await loadExperiment(path)).space).depth).toEqual({ curve: "dct", terms: 2 });
    await writeFile(space, "method: linear\ngroups: all\ndepth: { dct: 0 }\n");
    await expect(loadExperiment(path)).rejects.toThrow(`${space}:3:15: depth.dct: expected at least 2, found 0`);
  });

  test("tells all paths that lead nowhere at their places, with what is most likely meant", async () => {
    const folder = await folderOfAll();
    const path = join(folder, "paths.yaml");
    const lines = [
      "base: models/bsae",
      "experts: { nature: models/nature, craft: models, wild: guard/b.jsonl, gone: models/base/x }",
      "space: depth-curve",
      "tasks:",
      "  xsum: { rows: [a.jsonl, xsun.jsonl], guard: guard }",
      "recipes: { mine: mine.yml, theirs: models }",
    ];
    await writeFile(path, [...lines, "budget: { time: 1h }"].join("\n"));
    const model = "expected a folder, or a name of the Hub as org/name, found";
    const expected = [
      `1:7: base: models/bsae: no such folder, though there is one at ${join(folder, "models")}; did you mean ${join(folder, "models/base")}, or models/bsae@main of the Hub?`,
      `2:56: experts.wild: ${model} a file at ${join(folder, "guard/b.jsonl")}`,
      `2:77: experts.gone: ${model} none at ${join(folder, "models/base/x")}`,
      "3:8: space: depth-curve: no such file, and no search space that ships with evomerge has this name; did you mean depth-curves?",
      `5:27: tasks.xsum.rows[1]: expected a file of rows, found none at ${join(folder, "xsun.jsonl")}; did you mean ${join(folder, "xsum.jsonl")}?`,
      `5:47: tasks.xsum.guard: expected a file of rows, found a folder at ${join(folder, "guard")}`,
      `6:18: recipes.mine: expected a recipe's file, or the folder of an export, found none at ${join(folder, "mine.yml")}`,
    ];
    const { message } = await loadExperiment(path).then(
      () => new Error("none"),
      (error: Error) => error,
    );
    expect(message.split("\n")).toEqual(expected.map((line) => `${path}:${line}`));
  });

  test("tells faults of the search space with those of paths", async () => {
    const search = "search: { algorithm: cma-es }";
    const space = "space: { method: linear, groups: tensors, depth: per-layer, columns: true }";
    const loading = load(search, space, "experts: [models/nature, models/crafts]");
    await expect(loading).rejects.toThrow(
      /yaml:4:22: search\.algorithm: .*\n.*yaml:6:26: experts\[1\]: models\/crafts: no such folder, .*did you mean .*models\/craft, or/,
    );
  });

  test("reads the shipped experiment, whose models and rows fit together", async () => {
    const experiment = await loadExperiment(join(import.meta.dirname, "..", "..", "experiments", "demo.yaml"));
    await using workspace = await openWorkspace(experiment);
    const tasks = await loadTasks(experiment, workspace.evaluator);
    expect(tasks.map(({ name }) => name)).toEqual(experiment.tasks.map(({ name }) => name));
  });

  test.each([
    [
      "budget: { time: 10m, evaluations: 5 }",
      "5:9: budget: expected exactly one key, time or evaluations; found time and evaluations",
    ],
    ["budget: { time: 10 }", "5:17: budget.time: expected a duration such as 90s, 10m or 24h, found 10"],
    ["budget: { time: 10 min }", 'budget.time: expected a duration such as 90s, 10m or 24h, found "10 min"'],
    ["budget: { time: 0s }", "budget.time: expected a duration above zero"],
    [
      "experts: [a/one, b/one]",
      '5:18: experts[1]: another expert is named "one" too; give the expert a name of its own',
    ],
    ["experts: [models/12]", 'experts[0]: "12" cannot serve as a name'],
    ["experts: [models/base]", '5:10: experts: "base" names the base model'],
    ["experts: []", "experts: expected at least 1 item, found a list of 0"],
    ["experts: {}", "experts: expected at least one expert, found none"],
    [
      "experts: { a b: x }",
      'experts.a b: expected a name of letters, digits, _, - and ., not just digits, found "a b"',
    ],
    ["experts: models", 'experts: expected a list or a mapping, found "models"'],
    ["tasks: {}", "tasks: expected at least one task, found none"],
    ["tasks: { xsum: { row: x } }", '5:18: tasks.xsum: unknown key "row"; did you mean "rows"?'],
    ["tasks: { xsum: { rows: { dataset: rows } } }", "tasks.xsum.rows.dataset: expected a dataset as org/name"],
    ["tasks: { xsum: { rows: x, weight: 0 } }", "tasks.xsum.weight: expected more than 0, found 0"],
    [
      "search: { algorithm: cmaes }",
      'search.algorithm: expected auto, cma-es, sep-cma-es, mixed-evolution, random, gradient-walk, lineages, front-walk or nsga2, found "cmaes"; did you mean "cma-es"?',
    ],
    ["search: { population: 1 }", "search.population: expected at least 2, found 1"],
    ["search: { rowFraction: 0.01 }", "search.rowFraction: expected at least 0.05, found 0.01"],
    ["engine: cuda", 'engine: expected auto, ggml, tfjs, tfjs-node or tfjs-node-gpu, found "cuda"'],
    ["seed: -1", "seed: expected at least 0, found -1"],
    [
      "space: { method: linear, groups: all, depht: constant }",
      '5:39: space: unknown key "depht"; did you mean "depth"?',
    ],
    ["base: ''", 'base: expected a path, found ""'],
    ["sede: 3", '6:1: unknown key "sede"; did you mean "seed"?'],
    ["search: { population: 10001 }", "search.population: expected at most 10000, found 10001"],
    ["search: { population: 1e308 }", "search.population: expected "],
    ["search: { rowFraction: 1e308 }", "search.rowFraction: expected at most 1, found 1e+308"],
    ["budget: { evaluations: 1000000001 }", "5:24: budget.evaluations: expected at most 1000000000, found 1000000001"],
    ["budget: { evaluations: 1.5 }", "budget.evaluations: expected a whole number, found 1.5"],
    ["budget: { time: 8785h }", "budget.time: expected at most 8784h"],
    [`budget: { time: ${"9".repeat(400)}h }`, "budget.time: expected at most 8784h"],
    ["tasks: { xsum: { rows: x, weight: 1e-320 } }", "tasks.xsum.weight: expected at least 0.000001, found 1e-320"],
    ["tasks: { xsum: { rows: x, weight: 1e308 } }", "tasks.xsum.weight: expected at most 1000000, found 1e+308"],
    ["tasks: { xsum: { rows: x, weight: .inf } }", "tasks.xsum.weight: expected a number, found Infinity"],
    ["seed: 1e300", "seed: expected "],
    ["search: { constructor: 1 }", '6:11: search: unknown key "constructor"; expected algorithm, population'],
  ])("refuses %s", async (line, message) => {
    await expect(load(line)).rejects.toThrow(message);
  });

  test.each(["constructor", "toString", "hasOwnProperty", "valueOf"])(
    "refuses the name %s, wherever it is given",
    async (name) => {
      const sentence = `"${name}" is a name of JavaScript's own; take another`;
      await expect(load(`experts: { ${name}: x }`)).rejects.toThrow(sentence);
      await expect(load(`experts: [models/${name}]`)).rejects.toThrow(`"${name}" cannot serve as a name`);
      await expect(load(`tasks: { ${name}: { rows: x } }`)).rejects.toThrow(sentence);
      await expect(load(`name: ${name}`)).rejects.toThrow(sentence);
      await expect(load(`recipes: { ${name}: { method: linear, weight: { nature: 1, craft: 1 } } }`)).rejects.toThrow(
        sentence,
      );
    },
  );

  test("refuses the name __proto__, wherever it is given, and never leaves it out", async () => {
    const sentence = 'a key cannot be named "__proto__"; give it another name';
    for (const line of [
      "experts: { one: x, __proto__: y }",
      "tasks: { xsum: { rows: x }, __proto__: { rows: y } }",
      "recipes: { __proto__: { method: linear, weight: 1 } }",
      "recipes: { a: { method: linear, weight: { nature: 1, craft: 1, __proto__: 1 } } }",
      "search: { __proto__: 1 }",
    ]) {
      const at = line.indexOf("__proto__") + 1;
      await expect(load(line)).rejects.toThrow(new RegExp(`first-try\\.yaml:[56]:${at}: ${sentence}`));
    }
    await expect(load("experts: [models/__proto__]")).rejects.toThrow('"__proto__" cannot serve as a name');
    await expect(load("name: __proto__")).rejects.toThrow(`"__proto__" is a name of JavaScript's own`);
  });
});

describe("withOverrides", () => {
  test("replaces what is given and leaves the experiment as it was", async () => {
    const { experiment } = await load();
    const copy = structuredClone(experiment);
    expect(withOverrides(experiment, {})).toEqual(experiment);
    expect(withOverrides(experiment, { seed: 0, engine: undefined })).toEqual({ ...experiment, seed: 0 });
    const changed = withOverrides(experiment, { budget: { evaluations: 3 }, engine: "ggml" });
    expect(changed).toEqual({ ...experiment, budget: { evaluations: 3 }, engine: "ggml" });
    expect(experiment).toEqual(copy);
  });
});
