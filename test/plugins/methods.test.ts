import { copyFile, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { mergeModels } from "../../src/export/from-recipe/merge-models.ts";
import { readRunView } from "../../src/report/write-report.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { postedJob } from "../../src/workers/jobs.ts";
import { consensus } from "../merge/formula-methods.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { recorded, traces, writeTinyExperiment } from "../tiny-experiment.ts";

const example = join(import.meta.dirname, "..", "..", "experiments", "plugins", "consensus.mjs");

const space = {
  method: "consensus/task_arithmetic",
  groups: "all",
  depth: "constant",
  parameters: { votes: { start: 0.5 } },
};

/** A tiny experiment that searches a space of the example; the path of its file. */
async function writeExample(folder: string, file: object = {}): Promise<string> {
  await copyFile(example, join(folder, "consensus.mjs"));
  return writeTinyExperiment(folder, {
    file: { plugins: ["./consensus.mjs"], space, budget: { evaluations: 10 }, ...file },
  });
}

/** What a search has asked for, generation by generation. */
function askedIn(run: string): string[] {
  return recorded(run, "ask").map(({ points: { checksum } }) => checksum);
}

/** A module of a method with this formula, and one weight for each expert. */
function method(formula: string, changes: object = {}): string {
  const weight = { name: "weight", per: "expert", range: [0, 1], start: 0.5, summary: "how much" };
  const one = { source: "nobody", summary: "a merge", formula, parameters: [weight], ...changes };
  return `export default { name: "bad", methods: { one: ${JSON.stringify(one)} } };`;
}

describe("the example of a merge method", () => {
  test("is searched, resumed to the same bits, exported, and merged from its recipe without the plugin", async () => {
    const folder = await temporaryFolder();
    const experiment = await loadExperiment(await writeExample(folder));
    expect(experiment.space.method).toEqual(consensus);
    const run = join(folder, "run");
    const { winner } = await launchRun(experiment, run);
    expect(Number.isFinite(winner.loss)).toBe(true);
    const [{ genes } = { genes: [] }] = recorded(run, "plan");
    expect(genes).toEqual([
      "nature.all.weight",
      "craft.all.weight",
      "nature.all.sparsity",
      "craft.all.sparsity",
      "all.votes",
      "all.lambda",
    ]);
    expect(recorded(run, "baselines")[0]?.models.map(({ name }) => name)).toContain("global weight 0.8");
    const half = join(folder, "half");
    await launchRun({ ...experiment, budget: { evaluations: 5 } }, half);
    await resumeRun(half, { budget: { evaluations: 10 } });
    expect(askedIn(half)).toEqual(askedIn(run));
    const before = traces(run);
    await resumeRun(run);
    expect(traces(run)).toEqual(before);

    const { model } = await exportRun(run);
    const recipe = JSON.parse(await readFile(join(model, "recipe.json"), "utf8")) as { method: unknown };
    expect(recipe.method).toEqual(consensus);
    await expect(readFile(join(model, "mergekit_config.yml"))).rejects.toThrow("ENOENT");
    const card = await readFile(join(model, "README.md"), "utf8");
    expect(card).toContain("Method `consensus/task_arithmetic`: base + lambda x the weighted sum");
    expect(card).toContain("none that mergekit has");

    await rm(join(folder, "consensus.mjs"));
    await expect(readRunView(run)).resolves.toMatchObject({ name: "run" });
    const copy = join(folder, "copy");
    await mergeModels({ recipe: join(model, "recipe.json"), to: copy });
    expect(await readFile(join(copy, "model.safetensors"))).toEqual(await readFile(join(model, "model.safetensors")));
  });

  test("is followed by gradient, in whose walk its comparisons stay where they start", async () => {
    const folder = await temporaryFolder();
    const search = { algorithm: "gradient-walk" };
    const experiment = await loadExperiment(await writeExample(folder, { search, budget: { evaluations: 24 } }));
    const run = join(folder, "run");
    const { winner } = await launchRun(experiment, run);
    const { parameters } = winner.recipe as { parameters: Record<string, Record<string, Record<string, unknown>>> };
    expect(parameters["votes"]?.["attention"]?.["nature"]).toMatchObject({ rest: 0.5 });
    expect(recorded(run, "result").every(({ gradients }) => gradients)).toBe(true);
  });

  test("is a recipe of an experiment, too, and a starting point of a search with it and no other", async () => {
    const folder = await temporaryFolder();
    const all = { nature: 0.7, craft: 0.3 };
    const recipes = {
      published: {
        method: "consensus/task_arithmetic",
        weight: all,
        sparsity: all,
        votes: { nature: 0.5, craft: 0.5 },
        lambda: { nature: 1, craft: 1 },
      },
    };
    const experiment = await loadExperiment(await writeExample(folder, { recipes }));
    const run = join(folder, "run");
    const notices: string[] = [];
    const onEvent = (event: object): void => {
      if ("type" in event && event.type === "notice" && "text" in event) notices.push(String(event.text));
    };
    await launchRun(experiment, run, { onEvent });
    expect(recorded(run, "baselines")[0]?.models.find(({ name }) => name === "published")?.recipe.method).toEqual(
      consensus,
    );
    expect(notices.filter((text) => text.includes("published"))).toEqual([]);
    await launchRun(
      { ...experiment, ...(await loadExperiment(await writeTinyExperiment(folder))), recipes: experiment.recipes! },
      join(folder, "other"),
      { onEvent },
    );
    expect(notices).toContain(
      "the recipe published is consensus/task_arithmetic and the search space task_arithmetic; it is a baseline, no starting point",
    );
  });
});

describe("an experiment with a method of a plugin", () => {
  test.each([
    [
      { space: { ...space, method: "consensus/tsak_arithmetic" } },
      /space\.method: .*did you mean "consensus\/task_arithmetic"\?/,
    ],
    [
      { space: { ...space, parameters: { wieght: { start: 1 } } } },
      /space\.parameters: unknown key "wieght"; did you mean "weight"\?/,
    ],
    [
      { space: { ...space, parameters: { density: { start: 1 } } } },
      /the method consensus\/task_arithmetic has no such parameter; it has weight, sparsity, votes, lambda/,
    ],
    [
      { space: { ...space, parameters: { sparsity: { range: [-1, 1] } } } },
      /expected a range within 0 to 100, as sparsity is defined, found -1 to 1/,
    ],
    [{ plugins: undefined }, /space\.method: expected .*found "consensus\/task_arithmetic"/],
  ])("is refused at its place: %j", async (file, sentence) => {
    const folder = await temporaryFolder();
    await expect(refusal(loadExperiment(await writeExample(folder, file)))).resolves.toMatch(sentence);
  });

  test.each([
    [
      method("base + wieght"),
      /default\.methods\.one\.formula: the formula: line 1, column 8: expected one of base, .*found "wieght"/,
    ],
    [method("base"), /the formula: expected all that is named to have a part in it, found weight in no place/],
    [
      method("base + sum(weight * expert)", { summary: "a </script>" }),
      /default\.methods\.one\.summary: .*a line of words/,
    ],
    [method("base + sum(weight * expert)", { source: '"""' }), /default\.methods\.one\.source: .*a line of words/],
    [
      method("base + sum(weight * expert)", { parameters: [{ name: "method", per: "expert" }] }),
      /parameters\.0\.name: expected a name without another meaning/,
    ],
    [method("base + sum(weight * expert)", { needs: {} }), /default\.methods\.one: .*needs/],
    [
      method("base + sum(weight * expert)", { experts: { least: 3 } }),
      /the method bad\/one merges at least 3 experts, and there are 2/,
    ],
  ])("is told what is wrong with the plugin %s", async (text, sentence) => {
    const folder = await temporaryFolder();
    const path = await writeExample(folder, {
      plugins: ["./bad.mjs"],
      space: { ...space, method: "bad/one", parameters: {} },
    });
    await writeFile(join(folder, "bad.mjs"), text);
    await expect(refusal(loadExperiment(path))).resolves.toMatch(sentence);
  });
});

test("workers are sent the method with a recipe, and check it as they check the rest", () => {
  const recipe = { method: consensus, parameters: {} };
  const terms = { identity: {}, isMixed: false, tensors: {}, use: "signal", batchTokens: 64 };
  const job = (own: object): object => ({ call: "1", job: { kind: "score", ...terms, recipes: [own], prompts: [] } });
  expect(postedJob(JSON.parse(JSON.stringify(job(recipe))))).toMatchObject({ job: { recipes: [recipe] } });
  const other = { ...recipe, method: { ...consensus, formula: "base + process" } };
  expect(() => postedJob(job(other))).toThrow(/^a job in the queue: job\.recipes\.0\.method\.formula: expected /);
});

test("a method in a recipe of somebody's is read with distrust", async () => {
  const folder = await temporaryFolder();
  await writeExample(folder);
  const path = join(folder, "recipe.json");
  const curve = { all: { nature: { layers: [], rest: 1 } } };
  const write = (changes: object): Promise<void> =>
    writeFile(path, JSON.stringify({ method: { ...consensus, ...changes }, parameters: { weight: curve } }));
  const merged = (): Promise<unknown> =>
    mergeModels({
      recipe: path,
      to: join(folder, "copy"),
      base: join(folder, "base"),
      experts: { nature: join(folder, "nature") },
    });
  for (const [changes, fault] of [
    [{ formula: "process.exit()" }, "method.formula: the formula: line 1, column 1: expected one of base, "],
    [{ formula: "(".repeat(5000) }, "method.formula: expected at most 4000 characters, found "],
    [{ formula: "-".repeat(1_000_000) }, "method.formula: expected at most 4000 characters, found "],
    [{ name: "../../x" }, "method.name: expected a name as plugin/name, found "],
    [{ source: "\u001B[2J" }, "method.source: expected a line of words, without quotes and brackets, found "],
    [
      { parameters: [{ ...consensus.parameters[0], range: [0, 1e9] }] },
      "method.parameters[0].range[1]: expected at most 1000, found 1000000000",
    ],
  ] as const) {
    await write(changes);
    await expect(refusal(merged())).resolves.toContain(
      `recipe.json: expected a recipe as an export writes it: ${fault}`,
    );
  }
  await write({});
  await expect(refusal(merged())).resolves.toContain(
    "expected values of weight, sparsity, votes, lambda, which consensus/task_arithmetic takes, found those of weight",
  );
});
