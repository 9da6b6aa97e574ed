/**
 * Fronts of the shipped experiment against single runs by as many weighings of its tasks, for the same evaluations: by gradient on input columns
 * (`front-walk` and `gradient-walk`) and without on tensors (`nsga2` and `cma-es`). Told is the hypervolume on the guard rows
 * between what each way found on the search rows and the uniform average, of whose square it is the share; baselines count for neither.
 *
 *     npx tsx bench/fronts.ts --runs <folder> [--seeds 1,2,3] [--gradients 400] [--scores 200]
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Experiment, withOverrides } from "../src/experiment/experiment.ts";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { readJournal } from "../src/journal/journal.ts";
import { EVOLVED } from "../src/journal/records.ts";
import { standingOf } from "../src/journal/standing.ts";
import type { Recipe } from "../src/merge/recipe.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { launchRun } from "../src/run/launch-run.ts";
import { readOutcome } from "../src/run/read-outcome.ts";
import { scaledLosses } from "../src/run/session/objective.ts";
import { allRows, flatLosses } from "../src/run/session/session.ts";
import type { OptimizerName } from "../src/search/optimizers.ts";
import { loadSpace } from "../src/space/spaces.ts";
import { hypervolume } from "../test/search/hypervolume.ts";
import { machine } from "./machine.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string" },
    seeds: { type: "string", default: "1,2,3" },
    gradients: { type: "string", default: "400" },
    scores: { type: "string", default: "200" },
  },
});
const folder = values.runs ?? "";
if (!folder) throw new Error("--runs: expected the folder that keeps the runs");

/** Weights of the two tasks, those of the walks of a front; a weight has to be more than none. */
const WEIGHINGS = [
  [1, 1e-6],
  [0.75, 0.25],
  [0.5, 0.5],
  [0.25, 0.75],
  [1e-6, 1],
] as const;

interface Way {
  readonly name: string;
  readonly space: string;
  readonly evaluations: number;
  readonly front: OptimizerName;
  readonly single: OptimizerName;
  /** Candidates of a generation: of a front, and of a single run beside its mean. */
  readonly populations: readonly [front: number | "auto", single: number | "auto"];
}

const ways: readonly Way[] = [
  {
    name: "by gradient",
    space: "task-arithmetic-columns",
    evaluations: Number(values.gradients),
    front: "front-walk",
    single: "gradient-walk",
    populations: ["auto", "auto"],
  },
  {
    name: "without",
    space: "task-arithmetic-tensors",
    evaluations: Number(values.scores),
    front: "nsga2",
    single: "cma-es",
    // Five single runs of four generations each.
    populations: [19, 9],
  },
];

const demo = await loadExperiment("demo");
console.log(machine());
const rows: string[][] = [];
for (const way of ways) {
  const space = await loadSpace(join(import.meta.dirname, "../search-spaces", `${way.space}.yaml`));
  for (const seed of values.seeds.split(",").map(Number)) {
    const base = { ...withOverrides(demo, { seed }), space };
    const front = await runOf(`${way.front}-${seed}`, searching(base, way.front, way.populations[0], way.evaluations));
    const singles = await Promise.all(
      WEIGHINGS.map((_, i) => i).map(async (i) => [i, `${way.single}-${seed}-${i}`] as const),
    );
    const found: (() => Promise<Found>)[] = [];
    for (const [i, name] of singles) {
      const weighed = { ...base, tasks: base.tasks.map((task, t) => ({ ...task, weight: WEIGHINGS[i]![t]! })) };
      const run = await runOf(
        name,
        searching(weighed, way.single, way.populations[1], way.evaluations / WEIGHINGS.length),
      );
      found.push(() => winnerOf(run));
    }
    const ours = await frontFound(front);
    const theirs = await Promise.all(found.map((one) => one()));
    rows.push([
      way.name,
      String(seed),
      String(way.evaluations),
      `${way.front} ${hypervolume(ours.points, [1, 1]).toFixed(4)}`,
      `${way.single} ${hypervolume(
        theirs.flatMap(({ points }) => points),
        [1, 1],
      ).toFixed(4)}`,
      `${ours.seconds.toFixed(0)} s`,
      `${theirs.reduce((sum, { seconds }) => sum + seconds, 0).toFixed(0)} s`,
    ]);
  }
}
const header = ["search", "seed", "evaluations", "front", "single runs", "time", "time of all single runs"];
console.log(alignedText({ header, rows }));

/** Scaled losses on the guard rows of what a run found, and what it took. */
interface Found {
  readonly points: readonly (readonly number[])[];
  readonly seconds: number;
}

function searching(
  base: Experiment,
  algorithm: OptimizerName,
  population: number | "auto",
  evaluations: number,
): Experiment {
  return { ...base, search: { ...base.search, algorithm, population }, budget: { evaluations } };
}

async function runOf(name: string, experiment: Experiment): Promise<string> {
  const run = join(folder, name);
  if (!existsSync(join(run, "journal.jsonl"))) await launchRun(experiment, run);
  return run;
}

/** The members of a front that are no baselines. */
async function frontFound(run: string): Promise<Found> {
  const finalists = new Set(
    readJournal(run).records.flatMap((record) =>
      record.type === "finalists" ? record.models.map(({ name }) => name) : [],
    ),
  );
  return guarded(run, ({ front }) =>
    (front?.members ?? []).flatMap(({ of }) => (finalists.has(of) ? [front!.recipes.get(of)!()] : [])),
  );
}

async function winnerOf(run: string): Promise<Found> {
  return guarded(run, ({ winner }) => (winner.name === EVOLVED ? [winner.recipe] : []));
}

async function guarded(
  run: string,
  recipesOf: (outcome: Awaited<ReturnType<typeof readOutcome>>) => readonly Recipe[],
): Promise<Found> {
  const outcome = await readOutcome(run);
  await using workspace = outcome.workspace;
  const { records } = readJournal(run);
  const scales = standingOf(records).baselines?.scales ?? {};
  const objective = outcome.tasks.map(({ name }) => ({ name, weight: 1, scale: scales[name]! }));
  const selection = allRows(outcome.tasks, "guard");
  const recipes = recipesOf(outcome);
  const evaluations = recipes.length > 0 ? await workspace.evaluator.evaluate(recipes, selection) : [];
  const points = evaluations.map((one) => scaledLosses(Float64Array.from(flatLosses([one])), objective, selection));
  const seconds = Math.max(...records.map((record) => ("elapsedMs" in record ? record.elapsedMs : 0))) / 1000;
  return { points, seconds };
}
