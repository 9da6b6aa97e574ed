/**
 * How often a whole run calls its winner different from another model where no merge is better. Says beside it how often
 * single tests at 5 % would have called something, and how much better a winner looks on the rows it was chosen by.
 *
 *     npx tsx bench/false-alarms.ts --cells <folder> [--runs 200] [--algorithms gradient-walk,cma-es] [--kind "not named"] [--columns]
 *
 * With columns, each input column of a tensor has a coefficient of its own, too.
 * What each run said is kept in the folder, and the run not repeated.
 */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pLimit from "p-limit";
import { mean } from "simple-statistics";
import { loadExperiment } from "../src/experiment/experiment-file.ts";
import { writeFileAtomic } from "../src/files/atomic-file.ts";
import { EVOLVED } from "../src/journal/records.ts";
import { judgeModels } from "../src/report/judgement.ts";
import { alignedText } from "../src/report/text/text-table.ts";
import { launchRun } from "../src/run/launch-run.ts";
import { namedOptimizer, type OptimizerName, optimizers } from "../src/search/optimizers.ts";
import { type KindName, kinds, writeLandscape } from "./false-alarms/landscape.ts";

const { values: options } = parseArgs({
  options: {
    cells: { type: "string" },
    runs: { type: "string", default: "200" },
    algorithms: { type: "string", default: namedOptimizer("auto") },
    kind: { type: "string", default: "" },
    columns: { type: "boolean", default: false },
  },
});
const RUNS = Number(options.runs);
const cells = options.cells ?? "";
if (!cells) throw new Error("--cells: expected the folder that keeps what runs said");
await mkdir(cells, { recursive: true });

/** Runs side by side: each waits for disk and tokenizer half of its time. */
const atOnce = pLimit(4);

/** Of candidates that are only scored: of a genome of this size there would be 16. */
const POPULATION = 6;
/** 21 steps of a walk, 5 of four lineages, 12 generations of such a population. */
const EVALUATIONS = 84;

/** A coefficient for each tensor and expert overfits, and one for each column more. */
function searchBy(algorithm: OptimizerName): object {
  const population = optimizers[algorithm].usesGradients ? "auto" : POPULATION;
  return {
    space: { method: "task_arithmetic", groups: "tensors", depth: "per-layer", columns: options.columns },
    search: { algorithm, population, rowFraction: 0.5 },
    budget: { evaluations: EVALUATIONS },
  };
}

interface Ended {
  /** Whether the verdict calls the winner better or worse than anything. */
  readonly differs: boolean;
  readonly isBetter: boolean;
  /** Whether single tests would have called it different. */
  readonly singly: boolean;
  /** Whether a merge of the search won. */
  readonly evolved: boolean;
  /** The winner's guard loss less that on the search rows; 1 is the uniform average there. */
  readonly gap: number;
  readonly generations: number;
}

async function run(algorithm: OptimizerName, kind: KindName, seed: number): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), "false-alarms-"));
  try {
    const experiment = await loadExperiment(await writeLandscape(folder, seed, kind, searchBy(algorithm)));
    const { winner, verdict, generations } = await launchRun(experiment, join(folder, "run"));
    const guarded = verdict?.models.find((model) => model.kind === "winner");
    if (!verdict || !guarded) throw new Error("a run without a verdict");
    const judged = [...judgeModels(verdict.models, 1).values()].flatMap(({ combined, tasks }) => [
      combined,
      ...Object.values(tasks),
    ]);
    return {
      differs: judged.some(({ judgement }) => judgement !== "neither"),
      isBetter: judged.some(({ judgement }) => judgement === "better"),
      singly: judged.some(({ pValue }) => pValue < 0.05),
      evolved: winner.name === EVOLVED,
      gap: guarded.loss - winner.loss,
      generations,
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function searchName(algorithm: OptimizerName): string {
  return options.columns ? `${algorithm}, columns` : algorithm;
}

async function keptRun(algorithm: OptimizerName, kind: KindName, seed: number): Promise<Ended> {
  const cell = join(cells, `${searchName(algorithm)}; ${kind}; seed ${seed}.json`);
  if (existsSync(cell)) return JSON.parse(await readFile(cell, "utf8")) as Ended;
  const ended = await run(algorithm, kind, seed);
  await writeFileAtomic(cell, JSON.stringify(ended));
  return ended;
}

function share(alarms: number): string {
  return `${alarms} of ${RUNS}, ${((100 * alarms) / RUNS).toFixed(1)} %`;
}

async function measure(algorithm: OptimizerName, kind: KindName): Promise<string[]> {
  const seeds = Array.from({ length: RUNS }, (_, i) => i + 1);
  const ended = await Promise.all(seeds.map((seed) => atOnce(() => keptRun(algorithm, kind, seed))));
  const count = (is: (one: Ended) => boolean): number => ended.filter(is).length;
  const line = [
    searchName(algorithm),
    kind,
    mean(ended.map(({ generations }) => generations)).toFixed(1),
    `${count(({ evolved }) => evolved)}`,
    share(count(({ isBetter }) => isBetter)),
    share(count(({ differs }) => differs)),
    share(count(({ singly }) => singly)),
    mean(ended.map(({ gap }) => gap)).toFixed(4),
  ];
  console.error(line.join("; "));
  return line;
}

const measured: string[][] = [];
for (const algorithm of options.algorithms.split(",") as OptimizerName[]) {
  for (const kind of Object.keys(kinds) as KindName[]) {
    if (kind.includes(options.kind)) measured.push(await measure(algorithm, kind));
  }
}
const header = ["", "", "generations", "merges won", "say better", "name a difference", "single tests would", "gap"];
console.log(alignedText({ header, rows: measured }));
