/** Candidates scored and differentiated on rows as long as those of tasks. */
import type { LossRow } from "../../src/evaluate/differentiate.ts";
import type { Prompt } from "../../src/evaluate/pack.ts";
import type { Recipe } from "../../src/merge/recipe.ts";
import { openModel } from "../../src/model/open-model.ts";
import { busyLanes } from "../busy-lanes.ts";
import { llama8B } from "../eight-billion.ts";
import { type Work, workOf } from "../generation.ts";
import { type GpuBench, LAYERS, ofPeak, repeated } from "./task.ts";
import { figure, percent } from "../told.ts";

/** Told twice: as a rate, and as what a candidate of the whole model takes. */
export async function score(
  bench: GpuBench,
  name: string,
  recipes: readonly Recipe[],
  prompts: readonly Prompt[],
  work: Work,
): Promise<void> {
  const { device, scorer, told, ceilings } = bench;
  const lanes = busyLanes(device);
  let sums: readonly Float64Array[] = [];
  const once = async (): Promise<void> => {
    [sums = []] = (await scorer.score(recipes, prompts)).logLikelihoods;
  };
  const took = await repeated(() => lanes.during(once), 3);
  const notes = [
    ...ofPeak((recipes.length * work.flop) / took.wall, ceilings),
    `mean log-probability ${meanOf(sums, prompts).toFixed(4)}`,
    `the device had work ${percent(lanes.share())} of the time`,
    `${figure(device.memory.peakBytes / 1e9)} GB at most`,
  ];
  await told.tell({ name, value: (recipes.length * work.tokens) / took.wall, unit: "tokens/s", took, notes });
  await candidate(bench, name, prompts, (took.wall / recipes.length) * scaleOf(bench, prompts, work));
}

/** The same, with derivatives by every coefficient. */
export async function differentiate(bench: GpuBench, recipes: readonly Recipe[]): Promise<void> {
  const { device, scorer, told, ceilings, work, task } = bench;
  const rows = task.rows.map(lossRow);
  const lanes = busyLanes(device);
  const took = await repeated(() => lanes.during(async () => void (await scorer.gradient(recipes, rows))), 2);
  const notes = [
    ...ofPeak((3 * recipes.length * work.flop) / took.wall, ceilings),
    "three times the operations of scoring",
    `the device had work ${percent(lanes.share())} of the time`,
    `${figure(device.memory.peakBytes / 1e9)} GB at most`,
  ];
  const name = `${recipes.length} merged and differentiated`;
  await told.tell({ name, value: (recipes.length * work.tokens) / took.wall, unit: "tokens/s", took, notes });
  await candidate(bench, name, task.rows, (took.wall / recipes.length) * scaleOf(bench, task.rows, work));
}

/** What a candidate of the whole model takes. */
async function candidate({ told }: GpuBench, name: string, rows: readonly Prompt[], seconds: number): Promise<void> {
  await told.tell({
    name: `${name}: a candidate of ${LAYERS} layers`,
    value: seconds,
    unit: `s, ${rows.length} rows`,
    notes: [`${figure(3600 / seconds)} an hour`],
  });
}

/** By token of the continuations. */
function meanOf(sums: readonly Float64Array[], prompts: readonly Prompt[]): number {
  const tokens = prompts.flatMap(({ continuations }) => continuations.map(({ length }) => length));
  return sums.flatMap((own) => [...own]).reduce((a, b) => a + b, 0) / tokens.reduce((a, b) => a + b, 0);
}

/** Operations of a model of all layers by those of this one. */
function scaleOf({ task: { folder, shape } }: GpuBench, prompts: readonly Prompt[], { packed, flop }: Work): number {
  const config = { ...llama8B, ...shape, num_hidden_layers: LAYERS };
  return workOf(openModel({ folder, config }, "bf16"), prompts, packed).flop / flop;
}

/** Its loss is the sum of what its continuations lack. */
export function lossRow(prompt: Prompt): LossRow {
  return { prompts: [prompt], derivative: (values) => values.map((own) => own.map(() => -1)) };
}
