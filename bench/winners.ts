/**
 * Whether searches that find less loss on the guard rows of the shipped experiment find more accuracy by lm_eval on its
 * held-out task: winners of every optimizer for the same work, exported and scored by winners.py.
 *
 *     PYTHON=<python with lm_eval> npx tsx bench/winners.ts --runs <folder> [--seeds 1,2,3,4,5] [--passes 24]
 *
 * Run from the root. Runs are kept in the folder, and resumed.
 */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { mean } from "simple-statistics";
import { exportRun, launchRun, loadExperiment, resumeRun, type Experiment, type Outcome } from "../src/index.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import type { OptimizerName } from "../src/search/optimizers.ts";
import { loadSpace } from "../src/space/spaces.ts";
import { machine } from "./machine.ts";
import { rankCorrelation } from "./ranks.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string" },
    seeds: { type: "string", default: "1,2,3,4,5" },
    passes: { type: "string", default: "24" },
  },
});
const folder = values.runs ?? "";
if (!folder) throw new Error("--runs: expected the folder that keeps the runs");
const seeds = values.seeds.split(",").map(Number);
const passes = Number(values.passes);
await mkdir(folder, { recursive: true });

const experiment = await loadExperiment("experiments/demo.yaml");
const curves = await loadSpace("search-spaces/depth-curves.yaml");
const tensors = await loadSpace("search-spaces/task-arithmetic-tensors.yaml");
const columns = await loadSpace("search-spaces/task-arithmetic-columns.yaml");

/** A search of so many forward passes over all search rows, each generation on that part of them. */
function by(algorithm: OptimizerName, rowFraction: number, space = tensors): Experiment {
  const search = { ...experiment.search, algorithm, rowFraction };
  return { ...experiment, space, search, budget: { evaluations: Math.round(passes / rowFraction) } };
}

/** What is compared; one weight for all experts is a baseline, which wins where there is no time to search. */
const searches: Readonly<Record<string, Experiment>> = {
  "gradient-walk, columns": by("gradient-walk", 0.05, columns),
  "gradient-walk, tensors": by("gradient-walk", 0.05),
  "lineages, tensors": by("lineages", 0.05),
  "cma-es, curves": by("cma-es", 0.1, curves),
  "sep-cma-es, tensors": by("sep-cma-es", 0.05),
  "random, curves": by("random", 0.25, curves),
  "best global weight": { ...experiment, budget: { evaluations: 1 } },
};

interface Winner {
  readonly search: string;
  readonly name: string;
  readonly model: string;
  readonly guard: number;
  /** Of the task whose rows are of the kind of the held-out ones. */
  readonly choices: number;
}

async function winnerOf(search: string, seed: number): Promise<Winner> {
  const run = join(folder, `${search.replace(/\W+/g, "-")}-${seed}`);
  const isBegun = existsSync(join(run, "journal.jsonl"));
  const outcome: Outcome = isBegun ? await resumeRun(run) : await launchRun({ ...searches[search]!, seed }, run);
  const model = join(run, "best");
  if (!existsSync(model)) await exportRun(run);
  const guarded = outcome.verdict?.models.find(({ kind }) => kind === "winner");
  if (!guarded) throw new Error(`${run}: no verdict`);
  console.error(`${search}, seed ${seed}: ${outcome.winner.name}, guard loss ${guarded.loss.toFixed(4)}`);
  const choices = guarded.scores["cosmosqa"]?.loss ?? Number.NaN;
  return { search, name: outcome.winner.name, model, guard: guarded.loss, choices };
}

const winners: Winner[] = [];
for (const search of Object.keys(searches)) {
  // One weight depends on no seed.
  for (const seed of search === "best global weight" ? [1] : seeds) winners.push(await winnerOf(search, seed));
}

interface HeldOut {
  readonly rows: number;
  readonly acc: number;
  readonly acc_norm: number;
  readonly loss: number;
}

const printed = execFileSync(
  process.env["PYTHON"] ?? "python3",
  [join(import.meta.dirname, "winners.py"), ...winners.map(({ model }) => model)],
  { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] },
);
const heldOut = printed
  .split("\n")
  .filter((line) => line.startsWith("{"))
  .map((line) => JSON.parse(line) as HeldOut);
if (heldOut.length !== winners.length) throw new Error(`winners.py: ${heldOut.length} of ${winners.length} models`);
const scored = winners.map((winner, i) => ({ ...winner, ...heldOut[i]! }));
type Scored = (typeof scored)[number];

/** The mean, and in parentheses the least and the greatest. */
function spread(numbers: readonly number[]): string {
  const ends = [Math.min(...numbers), Math.max(...numbers)].map((value) => value.toFixed(3));
  return numbers.length < 2 ? numbers[0]!.toFixed(3) : `${mean([...numbers]).toFixed(3)} (${ends.join(" to ")})`;
}

const measures: Readonly<Record<string, (one: Scored) => number>> = {
  "guard loss": ({ guard }) => guard,
  "of choices": ({ choices }) => choices,
  "held-out loss": ({ loss }) => loss,
  acc: ({ acc }) => acc,
  acc_norm: ({ acc_norm }) => acc_norm,
};

const rows = Object.keys(searches).map((search) => {
  const own = scored.filter((one) => one.search === search);
  return [search, ...Object.values(measures).map((measure) => spread(own.map(measure)))];
});
console.log(`${machine()}; ${passes} passes, seeds ${values.seeds}; ${heldOut[0]!.rows} held-out rows by lm_eval\n`);
console.log(alignedText({ header: ["", ...Object.keys(measures)], rows }));

/** Baselines win more than once, and are one model. */
const distinct = [
  ...new Map(scored.map((one) => [one.name.startsWith("evolved") ? one.model : one.name, one])).values(),
];
console.log(`\nrank correlations over ${distinct.length} different winners, 1 where the order is the same`);
for (const [name, measure] of Object.entries(measures).slice(2)) {
  const [guard, choices] = [measures["guard loss"]!, measures["of choices"]!].map((loss) => {
    const correlation = rankCorrelation(distinct.map(loss), distinct.map(measure));
    return (name.includes("loss") ? correlation : -correlation).toFixed(3);
  });
  console.log(`${name}: ${guard} with guard loss, ${choices} with that of choices`);
}
