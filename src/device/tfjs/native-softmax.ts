import type * as tf from "@tensorflow/tfjs-core";
import type { Computation } from "./lowering.ts";
import { flopPerLogit } from "./lowerings.ts";
import type { NativeValues } from "./native-values.ts";
import { byRows } from "./rows.ts";

/** In blocks of rows, or of sequences. */
export function softmaxNatively({ x, mask, factor }: Computation<"softmax">, values: NativeValues): Promise<tf.Tensor> {
  const { operations, run } = values;
  return values.whileShaped([x], async (whole) => {
    const block = (rows: tf.Tensor, begin: number): tf.Tensor => {
      const scaled = factor === 1 ? rows : operations.binary("Mul", rows, operations.raw.number(factor));
      if (!mask) return operations.unary("Softmax", scaled);
      const [batch = 0, , ...places] = mask.shape.toSpliced(1, 0, 1);
      const own = values.of(mask);
      // One for all heads; it is in the memory of the mask.
      const ofAll = run.memory.derived(own, "of all heads", () => operations.reshape(own, [batch, 1, ...places]), 0);
      const [count = 0] = rows.shape;
      return operations.unary(
        "Softmax",
        operations.binary("AddV2", scaled, count === batch ? ofAll : operations.slice(ofAll, begin, count)),
      );
    };
    return byRows(whole, (flopPerLogit * whole.size) / (whole.shape[0] ?? 1), block, run.pace);
  });
}
