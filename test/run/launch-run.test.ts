import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunEvent } from "../../src/run/session/events.ts";
import { loadTasks } from "../../src/experiment/load-tasks.ts";
import { allRows } from "../../src/run/session/session.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { readJournal } from "../../src/journal/journal.ts";
import type { SearchSpace } from "../../src/space/search-space.ts";
import { genomeOf, loadSpace } from "../../src/space/spaces.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { launch, type ObservedRun, sharedRun, told } from "../observed-run.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { quizRows, recorded, type TinyExperiment, tinyExperiment, writeRows } from "../tiny-experiment.ts";
import { mergeSpace } from "../merge-space.ts";

const whole = sharedRun();

/** Launches a tiny experiment in a folder of its own. */
async function run(options: TinyExperiment): Promise<ObservedRun> {
  const folder = await temporaryFolder();
  return launch(await tinyExperiment(folder, options), join(folder, "run"));
}

const verdictOf = (events: readonly RunEvent[]): RunEvent | undefined => events.find(({ type }) => type === "verdict");

describe("launchRun", () => {
  test("tells of its steps in order, with the progress of each before it", async () => {
    const { folder, events, outcome } = whole;
    const steps = ["opened", "forecast", "baselines", "planned", "generation", "generation", "finalists", "verdict"];
    expect(told(events)).toEqual(steps);
    expect(events[0]).toMatchObject({
      folder,
      precision: "f32",
      experts: ["nature", "craft"],
      genome: "8 genes: weight of 2 experts x (attention 2, mlp+norm+embedding 2)",
      rows: { quiz: { search: 16, guard: 8 }, news: { search: 8, guard: 6 } },
      resumed: false,
    });
    const progress = events.flatMap((event) => (event.type === "progress" ? [`${event.phase} ${event.share}`] : []));
    expect(progress.filter((line) => !line.startsWith("forecast"))).toEqual(
      // All baselines on a part of the rows, then the best on the rest.
      ["baselines", "baselines", "search", "search", "finalists", "guard"].flatMap((phase) =>
        [0.25, 0.5, 0.75, 1].map((share) => `${phase} ${share}`),
      ),
    );
    expect(verdictOf(events)).toMatchObject({ models: outcome.verdict?.models, tasks: ["quiz", "news"] });
  });

  test("scores parents, average and sweep, and takes the best of all for the winner", async () => {
    const { folder, outcome } = whole;
    const [baselines] = recorded(folder, "baselines");
    const sweep = [0.4, 0.6, 0.7, 0.8, 0.9, 1, 1.2].map((weight) => `global weight ${weight}`);
    const names = baselines!.models.map(({ name }) => name);
    expect(names).toEqual(["base", "nature", "craft", "uniform average", ...sweep]);
    const average = baselines!.models[3]!;
    expect(average.loss).toBeCloseTo(1, 12);
    expect(baselines!.scales).toEqual({ quiz: average.scores["quiz"]!.loss, news: average.scores["news"]!.loss });

    const [finalists] = recorded(folder, "finalists");
    const standing = baselines!.models.filter(({ rows }) => rows["quiz"] === 16);
    const least = Math.min(...[...standing, ...finalists!.models].map(({ loss }) => loss));
    expect(outcome.winner).toMatchObject({ name: "evolved merge", loss: least });
    expect(outcome.verdict?.models.map(({ name }) => name)).toEqual([
      "base",
      "nature",
      "craft",
      "uniform average",
      standing.slice(4).toSorted((a, b) => a.loss - b.loss)[0]!.name,
      "evolved merge",
    ]);
    // The sweep is ranked on eight rows of each task, and the best three meet all.
    expect(baselines!.models.map(({ rows }) => rows["quiz"])).toEqual(
      expect.arrayContaining([...Array<number>(7).fill(16), ...Array<number>(4).fill(8)]),
    );
    expect(standing.slice(0, 4).map(({ name }) => name)).toEqual(names.slice(0, 4));
  });

  test("compares the winner with each model by the difference of their losses on the guard rows", () => {
    const models = whole.outcome.verdict!.models;
    const winner = models.at(-1)!;
    expect(winner.gains).toBeUndefined();
    for (const { loss, scores, gains } of models.slice(0, -1)) {
      expect(gains!.combined.gain).toBeCloseTo(loss - winner.loss, 10);
      for (const [task, { gain, interval, pValue }] of Object.entries(gains!.tasks)) {
        expect(gain).toBeCloseTo(scores[task]!.loss - winner.scores[task]!.loss, 10);
        expect(interval[0]).toBeLessThanOrEqual(gain);
        expect(interval[1]).toBeGreaterThanOrEqual(gain);
        expect(pValue).toBeGreaterThan(0);
        expect(pValue).toBeLessThanOrEqual(1);
      }
    }
    for (const { scores, intervals } of models) {
      for (const [task, [low, high]] of Object.entries(intervals)) {
        expect(low).toBeLessThan(scores[task]!.loss);
        expect(high).toBeGreaterThan(scores[task]!.loss);
      }
    }
  });

  test.each([
    [9, 1],
    [15, 3],
  ])(
    "spends a budget of %i evaluations on %i generations of four candidates and their mean",
    async (evaluations, generations) => {
      const { folder, events } = await run({ file: { budget: { evaluations } } });
      const results = recorded(folder, "result");
      expect(results).toHaveLength(generations);
      expect(results.map(({ losses }) => losses.length)).toEqual(results.map(() => 5));
      expect(events.findLast(({ type }) => type === "generation")).toMatchObject({
        work: (5 * generations) / 2,
        left: { evaluations: evaluations - 5 * generations },
      });
    },
  );

  test("says so when the budget has no room for a generation, and the best baseline wins", async () => {
    const { folder, events, outcome } = await run({ file: { budget: { evaluations: 4 } } });
    const why =
      "the budget has no room for one generation of 4 candidates and their mean, which counts as 5 evaluations";
    expect(events).toContainEqual({ type: "skipped", phase: "search", why });
    const [baselines] = recorded(folder, "baselines");
    const standing = baselines!.models.filter(({ rows }) => rows["quiz"] === 16);
    const { rows: _, ...best } = standing.toSorted((a, b) => a.loss - b.loss)[0]!;
    expect(outcome.winner).toEqual(best);
    expect(outcome.verdict?.models.filter(({ name }) => name === best.name)).toMatchObject([{ kind: "winner" }]);
  });

  test("gives all candidates of a generation the same rows, and every generation others", async () => {
    const { folder, outcome } = await run({ file: { budget: { evaluations: 15 } } });
    const journal = readJournal(folder);
    await using workspace = await openWorkspace(outcome.experiment);
    const tasks = await loadTasks(outcome.experiment, workspace.evaluator);
    const genome = genomeOf(outcome.experiment.space, { ...workspace, base: "base" });
    const met = new Set<string>();
    for (const [generation, { points, rows }] of recorded(folder, "ask").entries()) {
      expect(rows).toEqual({ quiz: 8, news: 4 });
      const coordinates = journal.readPoints(points);
      const recipes = Array.from({ length: 5 }, (_, i) =>
        genome.decode(coordinates.subarray(i * genome.dimension, (i + 1) * genome.dimension)),
      );
      const evaluations = await workspace.evaluator.evaluate(recipes, allRows(tasks, "search"));
      const stored = journal.readNumbers(recorded(folder, "result")[generation]!.rowLosses);
      expect(stored).toHaveLength(5 * 12);
      const rowsOf = evaluations.map(({ scores }, candidate) => {
        const own = [...stored.subarray(12 * candidate, 12 * (candidate + 1))];
        const all = Object.values(scores).flatMap((task) => task.map(({ loss }) => loss));
        return own.map((loss) => nearest(loss, all)).join(" ");
      });
      expect(rowsOf).toEqual(rowsOf.map(() => rowsOf[0]));
      expect(new Set(rowsOf[0]!.split(" ")).size).toBe(12);
      met.add(rowsOf[0]!);
    }
    expect(met.size).toBe(3);
  });

  test("searches alike whatever the guard rows are", async () => {
    const folder = await temporaryFolder();
    const guard = [join(folder, "other.jsonl")];
    await writeRows(guard[0]!, quizRows("other", 9));
    const { experiment, winner, verdict } = whole.outcome;
    const tasks = experiment.tasks.map((task) => (task.name === "quiz" ? { ...task, guard } : task));
    const other = await launch({ ...experiment, tasks }, join(folder, "run"));
    expect(other.outcome.winner).toEqual(winner);
    expect(recorded(other.folder, "ask")).toEqual(recorded(whole.folder, "ask"));
    expect(other.outcome.verdict?.models).not.toEqual(verdict?.models);
  });

  test("splits guard rows off where a task names none", async () => {
    const { events } = await run({ file: { tasks: { quiz: { rows: "rows/quiz.jsonl" } } } });
    expect(events[0]).toMatchObject({ rows: { quiz: { search: 11, guard: 5 } } });
  });

  test("counts rows of one group once in the verdict", async () => {
    const folder = await temporaryFolder();
    const experiment = await tinyExperiment(folder);
    const grouped = quizRows("guard", 8).map((row, i) => ({ ...row, group: i % 2 }));
    await writeRows(join(folder, "rows", "quiz.guard.jsonl"), grouped);
    const { verdict } = await launchRun(experiment, join(folder, "run"));
    expect(verdict!.groups).toEqual({ quiz: 2, news: 6 });
    for (const { intervals } of verdict!.models) expect(intervals["quiz"]).toEqual([-Infinity, Infinity]);
  });

  test.each(["global", "depth-curves", "per-layer"])("searches the shipped space %s", async (name) => {
    const space = await loadSpace(join(import.meta.dirname, "..", "..", "search-spaces", `${name}.yaml`));
    const { events, outcome } = await run({ file: { space: asFile(mergeSpace(space)), budget: { evaluations: 15 } } });
    expect(told(events).filter((type) => type === "generation")).toHaveLength(3);
    expect(outcome.verdict).toBeDefined();
  });

  test("runs on another engine, to a verdict on other bits", async () => {
    const { outcome } = await run({ file: { engine: "tfjs", budget: { evaluations: 5 } } });
    for (const { name, loss } of outcome.verdict!.models.slice(0, 4)) {
      const other = whole.outcome.verdict!.models.find((model) => model.name === name)!;
      expect(loss).toBeCloseTo(other.loss, 4);
    }
    expect((await exportRun(outcome.folder)).weightsDigest).toBe(outcome.verdict!.weightsDigest);
  });

  test("searches at random, with the best point told in place of a mean", async () => {
    const { folder, outcome } = await run({ file: { search: { algorithm: "random", population: 4, rowFraction: 1 } } });
    expect(recorded(folder, "ask")).toHaveLength(2);
    const losses = recorded(folder, "result").flatMap(({ losses }) => losses);
    const [finalists] = recorded(folder, "finalists");
    expect(finalists!.models[0]!.loss).toBeCloseTo(Math.min(...losses), 6);
    expect(outcome.verdict).toBeDefined();
  });

  test("sweeps no common weight under a method without a base", async () => {
    const space = { method: "linear", groups: "all", depth: "constant" };
    const { folder, outcome } = await run({ file: { space } });
    const [baselines] = recorded(folder, "baselines");
    expect(baselines!.models.map(({ name }) => name)).toEqual(["base", "nature", "craft", "uniform average"]);
    const [plan] = recorded(folder, "plan");
    expect(readJournal(folder).readPoints(plan!.start)).toEqual(Float64Array.of(0.5, 0.5));
    expect(plan).not.toHaveProperty("inject");
    expect(outcome.verdict?.models.some(({ kind }) => kind === "global")).toBe(false);
  });
});

/** Index of the value that is equal but for rounding. */
function nearest(value: number, values: readonly number[]): number {
  const distances = values.map((other) => Math.abs(other - value));
  const least = Math.min(...distances);
  expect(least).toBeLessThan(1e-5);
  return distances.indexOf(least);
}

/** A search space as a file holds it. */
function asFile({ depth, ...space }: SearchSpace): object {
  return { ...space, depth: "terms" in depth ? { [depth.curve]: depth.terms } : depth.curve };
}
