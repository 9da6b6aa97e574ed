import * as tf from "@tensorflow/tfjs-core";
import { median } from "simple-statistics";
import { fromFloat32 } from "../../tensor/half.ts";
import type { HalfDtype } from "./half-floats.ts";
import { NativeHalves } from "./native-halves.ts";
import type { NativeOperations } from "./native-operations.ts";
import { productOfHalves } from "./native-products.ts";
import { types } from "./raw-tensorflow.ts";

/** Large enough that a processor's units for bf16 show, small enough to take some milliseconds. */
const [ROWS, WIDTH, OUT] = [256, 1024, 1024];
const TURNS = 7;
/**
 * Of the time in f32. Units for bf16 are expected to take half of it or less, and where there are none it takes longer: far enough from
 * either that each start on one machine finds the same. The finding is part of the engine's name, which journals keep.
 */
const CLEARLY = 0.75;
/** Of a sum of order 1: rounded to eight bits once. What was summed in bf16 is off by ten times as much. */
const TOLERANCE = 2 ** -8;

/**
 * Which half formats TensorFlow multiplies faster than f32 on this machine, and exactly enough: factors rounded to the format,
 * sums in f32. Where a GPU has no kernel for one, TensorFlow takes the CPU's without a word, and a CPU without instructions
 * for it computes it in parts: both are slower. f16 is none: it has no numbers as large as some models' activations.
 */
export function fastHalves(operations: NativeOperations): HalfDtype[] {
  const halves = new NativeHalves(operations);
  return tf.tidy(() => {
    try {
      const [x, weight] = [
        halves.hold(sample(ROWS, 3), "bf16", [ROWS, WIDTH]),
        halves.hold(sample(OUT, 5), "bf16", [OUT, WIDTH]),
      ];
      const [wideX, wideWeight] = [operations.convert(x, types.f32), operations.convert(weight, types.f32)];
      const inHalves = (): tf.Tensor => {
        const rounded = operations.convert(wideX, types.bf16);
        return productOfHalves(rounded, weight, { transposeX: false, transposeY: true }, operations);
      };
      const inF32 = (): tf.Tensor => tf.matMul(wideX, wideWeight, false, true);
      if (!(largestDifference(inHalves(), inF32()) <= TOLERANCE)) return [];
      const turns = Array.from({ length: TURNS }, () => ({ half: seconds(inHalves), full: seconds(inF32) }));
      return isClearlyFaster(turns) ? ["bf16"] : [];
    } catch (error) {
      // A TensorFlow without the kernel says so.
      if ((error as Error).message.startsWith("Invalid TF_Status")) return [];
      throw error;
    }
  });
}

/** By the median over turns, each of which has both under one load. */
export function isClearlyFaster(turns: readonly { readonly half: number; readonly full: number }[]): boolean {
  return median(turns.map(({ half, full }) => half / full)) < CLEARLY;
}

/** Rows of numbers whose products are of order 1, the same each time. */
function sample(rows: number, step: number): Uint8Array {
  const values = Float32Array.from({ length: rows * WIDTH }, (_, i) => Math.sin(step * i) * WIDTH ** -0.25);
  return fromFloat32(values, "bf16");
}

function largestDifference(found: tf.Tensor, expected: tf.Tensor): number {
  return tf.tidy(
    () => tf.max(tf.div(tf.abs(tf.sub(found, expected)), tf.maximum(tf.abs(expected), 1))).dataSync()[0] ?? Number.NaN,
  );
}

/** Until one number of the result is on the host. */
function seconds(compute: () => tf.Tensor): number {
  const start = performance.now();
  tf.tidy(() => tf.slice(compute(), [0, 0], [1, 1]).dataSync());
  return (performance.now() - start) / 1000;
}
