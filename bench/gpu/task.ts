/** What bench/gpu.ts measures with, and what that is held against. */
import type { Device } from "../../src/device/device.ts";
import type { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import type { Prompt } from "../../src/evaluate/pack.ts";
import type { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import type { Recipe } from "../../src/merge/recipe.ts";
import type { Model } from "../../src/model/architecture.ts";
import type { LlamaShape } from "../eight-billion.ts";
import type { Work } from "../generation.ts";
import { timed, type Timing } from "../interleave.ts";
import { figure, percent, type RepeatedTiming, type Told } from "../told.ts";

/** Of Llama 3 8B. */
export const LAYERS = 32;

/** Operations a second in bf16 of an H100 or H200 (SXM), by their datasheet. */
const DATASHEET = 989e12;

export interface GpuTask {
  /** Of the models' folders. */
  readonly folder: string;
  readonly shape: LlamaShape;
  readonly experts: readonly string[];
  /** That rates are taken on. */
  readonly rows: readonly Prompt[];
  /** All of the tasks' rows. */
  readonly whole: readonly Prompt[];
  readonly candidates: number;
}

/** What PyTorch reaches on the same card, as far as it was asked: operations and bytes a second. */
export interface Ceilings {
  readonly product?: number;
  readonly copy?: number;
  readonly upload?: number;
}

export interface GpuOptions {
  readonly backend: "gpu" | "cpu";
  /** Those that a run would take unless given. */
  readonly batchTokens: number | undefined;
  readonly ceilings: Ceilings;
  /** Names of the parts that are measured. */
  readonly only: RegExp;
}

/** Everything is open. */
export interface GpuBench extends GpuOptions {
  readonly told: Told;
  readonly task: GpuTask;
  readonly device: Device;
  readonly model: Model;
  readonly parents: ParentWeights;
  readonly scorer: GenerationScorer;
  readonly recipes: readonly Recipe[];
  /** Of one candidate on the rows that rates are taken on, and on all. */
  readonly work: Work;
  readonly whole: Work;
}

/** A part whose first run took longer than half of that is not repeated. */
const LONG_SECONDS = 10;

/** Operations a second, and which shares of the peaks that is. */
export function ofPeak(rate: number, { product }: Ceilings): string[] {
  const measured = product === undefined ? [] : [`${percent(rate / product)} of PyTorch's product`];
  return [`${figure(rate / 1e12)} TFLOP/s`, ...measured, `${percent(rate / DATASHEET)} of the datasheet`];
}

/** The median of several runs behind one to warm up, or the first where that takes long. */
export async function repeated(work: () => Promise<void>, times: number): Promise<RepeatedTiming> {
  const first = await timed(work);
  if (first.wall > LONG_SECONDS / 2) return { ...first, runs: 1 };
  const all: Timing[] = [];
  while (all.length < times) all.push(await timed(work));
  return { ...all.toSorted((a, b) => a.wall - b.wall)[Math.floor(times / 2)]!, runs: times };
}

/** Which share of something else a rate is, where that is known. */
export function shareOf(rate: number, of: number | undefined, what: string): string[] {
  return of === undefined ? [] : [`${percent(rate / of)} of ${what}`];
}
