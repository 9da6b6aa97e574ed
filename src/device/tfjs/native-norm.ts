import type * as tf from "@tensorflow/tfjs-core";
import type { Expression } from "../expression.ts";
import type { Computation } from "./lowering.ts";
import type { NativeValues } from "./native-values.ts";

export function normalizeNatively({ x, epsilon }: Computation<"normalize">, values: NativeValues): tf.Tensor {
  const value = values.inColumns(x);
  return values.operations.binary("Mul", value, inverseRms(x, epsilon, values));
}

export function normalizeBackNatively(
  { g, x, epsilon }: Computation<"normalizeBack">,
  values: NativeValues,
): tf.Tensor {
  const { operations } = values;
  const own = values.inColumns(x);
  const passed = operations.reshape(values.of(g), own.shape);
  const inverse = inverseRms(x, epsilon, values);
  const normed = operations.binary("Mul", own, inverse);
  const along = operations.reduce("Mean", operations.binary("Mul", passed, normed), [own.rank - 1]);
  const across = operations.binary("Sub", passed, operations.binary("Mul", normed, along));
  return operations.binary("Mul", across, inverse);
}

function inverseRms(x: Expression, epsilon: number, values: NativeValues): tf.Tensor {
  const { operations } = values;
  return values.once(x, `inverse RMS, ${epsilon}`, () => {
    const value = values.inColumns(x);
    const mean = operations.reduce("Mean", operations.unary("Square", value), [value.rank - 1]);
    return operations.unary("Rsqrt", operations.binary("AddV2", mean, operations.raw.number(epsilon)));
  });
}
