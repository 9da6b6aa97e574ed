import * as tf from "@tensorflow/tfjs-core";
import type { Expression } from "../expression.ts";
import type { Computation } from "./lowering.ts";
import type { NativeOperations } from "./native-operations.ts";
import type { NativeValues } from "./native-values.ts";
import { types } from "./raw-tensorflow.ts";

/** What rope reads: periods that only turn the other way, as on the way back, are those that they are made from. */
export function readsOfRope({
  x,
  positions,
  periods,
}: Computation<"rope">): readonly [Expression, Expression, Expression] {
  return [x, positions, isTurned(periods) ? periods.x : periods];
}

/**
 * x * cos + (the other half of x) * sin, where the first half takes the second negated; what does not turn stands behind. The
 * tables of cos and sin stay with the positions, for the other layers.
 */
export function ropeNatively(node: Computation<"rope">, values: NativeValues): tf.Tensor {
  const { operations, run } = values;
  const [x, positions, periods] = readsOfRope(node);
  const turning = 2 * (periods.shape[0] ?? 0);
  const angles = [values.of(positions), values.of(periods)] as const;
  const table = (which: "Cos" | "Sin"): tf.Tensor => {
    const make = (): tf.Tensor => tf.tidy(() => tableOf(which, ...angles, node.factor, operations));
    // What is computed for this run alone would be another one's each time, and its tables stay for nothing.
    const isKept = periods.op === "input" || positions.op !== "input";
    return isKept ? run.memory.derived(angles[0], `${which} ${angles[1].id} ${node.factor}`, make) : make();
  };
  const whole = values.shaped(x);
  const [head, rest] = parts(whole, turning);
  const plain = operations.binary("Mul", head, table("Cos"));
  const crossed = operations.binary("Mul", operations.shift(head, turning / 2), table("Sin"));
  const turned = operations.binary(isTurned(node.periods) ? "Sub" : "AddV2", plain, crossed);
  return rest ? operations.concat([turned, rest]) : turned;
}

function isTurned(periods: Expression): periods is Computation<"scale"> {
  return periods.op === "scale" && periods.factor === -1;
}

/** f32 [n, 1, 2 * periods] */
function tableOf(
  which: "Cos" | "Sin",
  positions: tf.Tensor,
  periods: tf.Tensor,
  factor: number,
  operations: NativeOperations,
): tf.Tensor {
  const { raw } = operations;
  const column = operations.reshape(operations.convert(positions, types.f32), [positions.size, 1, 1]);
  const angles = operations.binary("RealDiv", column, operations.reshape(periods, [periods.size]));
  const own = operations.binary("Mul", operations.unary(which, angles), raw.number(factor));
  const first = which === "Sin" ? operations.binary("Mul", own, raw.number(-1)) : own;
  return operations.concat([first, own]);
}

function parts(x: tf.Tensor, turning: number): [head: tf.Tensor, rest?: tf.Tensor] {
  const width = x.shape.at(-1) ?? 0;
  if (turning === width) return [x];
  const [head = x, rest = x] = tf.split(x, [turning, width - turning], -1);
  return [head, rest];
}
