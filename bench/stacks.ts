/**
 * What a search of layer stacks finds on the shipped experts: the stack that it came to, on the guard rows, beside the parent that it began
 * at and one weight for all experts.
 *
 *     npx tsx bench/stacks.ts --runs <folder> [--seeds 1,2,3,4,5] [--evaluations 600] [--algorithm auto]
 *
 * Run from the root. Runs are kept in the folder.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { launchRun, loadExperiment } from "../src/index.ts";
import { BASE } from "../src/experiment/the-base.ts";
import { readJournal } from "../src/journal/journal.ts";
import type { Recipe, StackRecipe } from "../src/merge/recipe.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { combinedLoss } from "../src/run/session/objective.ts";
import { readOutcome } from "../src/run/read-outcome.ts";
import type { OptimizerName } from "../src/search/optimizers.ts";
import { genomeOf, loadSpace } from "../src/space/spaces.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "" },
    seeds: { type: "string", default: "1,2,3,4,5" },
    evaluations: { type: "string", default: "600" },
    algorithm: { type: "string", default: "auto" },
  },
});
const algorithm = values.algorithm as OptimizerName | "auto";
const evaluations = Number(values.evaluations);
const demo = await loadExperiment("experiments/demo.yaml");
const space = await loadSpace("search-spaces/stack.yaml");

/** The models to compare, and what the last generation of a run had for the best stack. */
async function lossesOf(run: string): Promise<{ readonly stack: StackRecipe; readonly losses: readonly number[] }> {
  const { workspace, tasks, experiment } = await readOutcome(run);
  await using opened = workspace;
  const journal = readJournal(run);
  const { records } = journal;
  const ofType = <T extends string>(type: T): Extract<(typeof records)[number], { type: T }>[] =>
    records.filter((record): record is Extract<typeof record, { type: T }> => record.type === type);
  const genome = genomeOf(experiment.space, { ...opened, base: BASE });
  const points = journal.readPoints(ofType("ask").at(-1)!.points);
  const stack = genome.decode(points.slice(-genome.dimension)) as StackRecipe;
  const { models, scales } = ofType("baselines")[0]!;
  const objective = tasks.map(({ name, weight }) => ({ name, weight, scale: scales[name]! }));
  const best = (kinds: readonly string[]): Recipe =>
    models.filter(({ name }) => kinds.some((kind) => name.startsWith(kind))).toSorted((a, b) => a.loss - b.loss)[0]!
      .recipe;
  const recipes = [best([BASE, ...opened.experts]), stack, best(["global weight"])];
  const guard = Object.fromEntries(tasks.map((task) => [task.name, task.guard]));
  const scored = await opened.evaluator.evaluate(recipes, guard);
  return { stack, losses: scored.map((evaluation) => combinedLoss(evaluation, objective)) };
}

const rows: string[][] = [];
for (const seed of values.seeds.split(",").map(Number)) {
  const run = join(values.runs, `${algorithm}-${evaluations}-${seed}`);
  const search = { ...demo.search, algorithm };
  if (!existsSync(run)) await launchRun({ ...demo, space, search, seed, budget: { evaluations } }, run);
  const { stack, losses } = await lossesOf(run);
  const layers = stack.layers.map(({ model, layer, scale }) => `${model} ${layer} x ${scale.toFixed(2)}`);
  rows.push([String(seed), ...losses.map((loss) => loss.toFixed(3)), `${layers.join(", ")}; rest ${stack.rest}`]);
  console.error(rows.at(-1)!.join("  "));
}
const header = ["seed", "best parent", "stack", "best weight for all", "the stack's layers"];
console.log(alignedText({ header, rows }));
