/**
 * How far the results of an engine may be from those of exact arithmetic: the largest |found - expected| / max(1, |expected|)
 * over results of order 1. Casts, merges and whatever else rounds once, or never, must give the same bits on every engine.
 * @module
 */

/** Sums of f32 in another order, and functions within some units of the last place. */
const F32 = 1e-5;
/** Factors rounded to eleven significant bits, which is TF32 and f16: 2^-12 of each on average, with random signs. */
const ELEVEN_BITS = 4e-3;
/** Factors rounded to bf16, eight significant bits. */
const BF16 = 0.02;

export interface Tolerance {
  /** Of functions that are not products: silu, gelu, tanh, rmsNorm, rope, logProbability. */
  readonly functions: number;
  /** Of products of f32 by f32. */
  readonly products: number;
  /** Of products of f32 by weights in bf16 or f16. */
  readonly halfProducts: number;
  /** Of those whose factors bf16 can represent, so that only the sums are rounded. */
  readonly halfSums: number;
}

export type Precision = "f32" | "bf16";

interface Row {
  readonly f32: Tolerance;
  readonly bf16: Tolerance;
  /** Why products are no closer than that. */
  readonly because: string;
  /** On what the contract was run. */
  readonly ran: string;
}

const exact: Tolerance = { functions: F32, products: F32, halfProducts: F32, halfSums: F32 };
const halfRounded: Tolerance = { functions: F32, products: F32, halfProducts: BF16, halfSums: F32 };
const allRounded: Tolerance = { functions: F32, products: ELEVEN_BITS, halfProducts: BF16, halfSums: ELEVEN_BITS };

/** By engine, and by the precision that its device was opened for. */
export const tolerances = {
  "ggml, CPU": {
    f32: halfRounded,
    bf16: halfRounded,
    because: "multiplies by half floats in their own format, for which the other factor is rounded to it",
    ran: "every test run",
  },
  "ggml, CUDA": {
    f32: halfRounded,
    bf16: allRounded,
    because: "cuBLAS multiplies f32 as TF32 unless NVIDIA_TF32_OVERRIDE is 0; ggml cannot be asked otherwise",
    ran: "nothing: read in the sources of ggml and the documentation of cuBLAS",
  },
  "ggml, Vulkan": {
    f32: halfRounded,
    bf16: allRounded,
    because: "rounds f32 to f16 on GPUs that have it, and a first factor that is not contiguous in any case",
    ran: "lavapipe of Mesa 22.3, which has f16 and no matrix units",
  },
  "ggml, Metal": {
    f32: allRounded,
    bf16: allRounded,
    because: "rounds f32 to f16 for its matrix units, and has no switch for that",
    ran: "nothing: read in the sources of ggml",
  },
  "tfjs, wasm": { f32: exact, bf16: exact, because: "holds half floats as f32", ran: "every test run" },
  "tfjs-node": {
    f32: { ...halfRounded, halfSums: BF16 },
    bf16: { ...halfRounded, halfSums: BF16 },
    because:
      "multiplies by bf16 in bf16 where that is faster than f32, for which the other factor and the result are rounded to it",
    ran: "TensorFlow 2.21 on a CPU",
  },
  "tfjs-node-gpu": {
    f32: { ...halfRounded, halfSums: BF16 },
    bf16: { ...allRounded, halfSums: BF16 },
    because: "as tfjs-node, and cuBLAS multiplies f32 as TF32 unless NVIDIA_TF32_OVERRIDE is 0",
    ran: "nothing: read in the documentation of TensorFlow and cuBLAS",
  },
} satisfies Record<string, Row>;
