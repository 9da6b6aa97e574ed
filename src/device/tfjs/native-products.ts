import type * as tf from "@tensorflow/tfjs-core";
import { isHalf, type HalfDtype } from "./half-floats.ts";
import type { Computation } from "./lowering.ts";
import type { NativeOperations } from "./native-operations.ts";
import type { NativeValues } from "./native-values.ts";
import { types } from "./raw-tensorflow.ts";
import { byRows } from "./rows.ts";

/** In blocks of rows where they can be told. Half floats are widened where f32 is asked for, or faster. */
export function multiplyNatively(
  node: Computation<"matmul">,
  values: NativeValues,
  multiplied: ReadonlySet<HalfDtype>,
): Promise<tf.Tensor> {
  const { x, y, transposeX, transposeY, precision } = node;
  const { operations, run } = values;
  return values.whileShaped([x, y], async (left, right) => {
    const inHalves = isHalf(y.dtype) && precision === y.dtype && multiplied.has(y.dtype);
    const widened = isHalf(y.dtype) && !inHalves ? run.memory.hold(operations.convert(right, types.f32)) : undefined;
    const times = (rows: tf.Tensor): tf.Tensor => {
      if (!inHalves) return operations.product(rows, widened ?? right, transposeX, transposeY);
      // Several weights are multiplied by what a norm gives.
      const round = (): tf.Tensor => operations.convert(rows, operations.raw.typeOf(right));
      const rounded = rows === values.of(x) ? values.once(x, "rounded", round, 2) : round();
      return productOfHalves(rounded, right, { transposeX, transposeY }, operations);
    };
    try {
      return await byRows(left, 2 * right.size, times, run.pace, x.shape.length === 2 && !transposeX);
    } finally {
      if (widened) run.memory.release(widened);
    }
  });
}

/** Of two in one half format, f32: TensorFlow sums in f32 and rounds the sums to the format too. */
export function productOfHalves(
  x: tf.Tensor,
  y: tf.Tensor,
  { transposeX, transposeY }: Pick<Computation<"matmul">, "transposeX" | "transposeY">,
  operations: NativeOperations,
): tf.Tensor {
  return operations.convert(operations.product(x, y, transposeX, transposeY), types.f32);
}
