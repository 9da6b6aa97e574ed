/** What bench/gpu.ts has measured, and what it is held against. */
import type { Prompt } from "../src/evaluate/pack.ts";
import type { LlamaShape } from "./eight-billion.ts";
import { figure, percent } from "./told.ts";

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

/** Operations a second, and which shares of the peaks that is. */
export function ofPeak(rate: number, { product }: Ceilings): string[] {
  const measured = product === undefined ? [] : [`${percent(rate / product)} of PyTorch's product`];
  return [`${figure(rate / 1e12)} TFLOP/s`, ...measured, `${percent(rate / DATASHEET)} of the datasheet`];
}
