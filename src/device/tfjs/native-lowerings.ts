import * as tf from "@tensorflow/tfjs-core";
import type { Shape } from "../../tensor/dtype.ts";
import type { Expression } from "../expression.ts";
import { operands } from "../graph.ts";
import { isHalf, type HalfDtype } from "./half-floats.ts";
import type { Computation, Computed, Lowering, LoweringRun } from "./lowering.ts";
import { evaluate } from "./lowerings.ts";
import { backwardLowerings } from "./native-backward.ts";
import { normalizeNatively } from "./native-norm.ts";
import type { NativeOperations } from "./native-operations.ts";
import { multiplyNatively } from "./native-products.ts";
import { planNatively } from "./native-plan.ts";
import { ropeNatively } from "./native-rope.ts";
import { softmaxNatively } from "./native-softmax.ts";
import { NativeValues, type NativeLowering, type NativeLowerings } from "./native-values.ts";
import { types } from "./raw-tensorflow.ts";

/**
 * By TensorFlow's own operations, in few of them, since each takes some microseconds on its way to a device; what is asked for
 * rarely is computed as by every backend. `multiplied`: the half formats that products are computed in.
 */
export function nativeLowering(operations: NativeOperations, multiplied: ReadonlySet<HalfDtype>): Lowering {
  return {
    plan: planNatively,
    evaluate: (node, run) => {
      const values = new NativeValues(run, operations);
      // These may take so long that they are done in slices.
      if (node.op === "matmul") return multiplyNatively(node, values, multiplied);
      if (node.op === "softmax") return softmaxNatively(node, values);
      const lowering = lowerings[node.op] as NativeLowering<Computed> | undefined;
      return lowering ? tf.tidy(() => lowering(node, values)) : evaluateShaped(node, values);
    },
  };
}

const lowerings: NativeLowerings = {
  constant: ({ values, shape }) => tf.tensor(values, [...shape], "float32"),
  cast: ({ x, dtype }, { run, operations }) => {
    const wide = isHalf(x.dtype) ? operations.convert(run.of(x), types.f32) : run.of(x);
    return isHalf(dtype) ? operations.convert(wide, types[dtype]) : wide;
  },
  reshape: (node, values) => {
    const [x, rows] = values.run.reads(node);
    if (x && rows) return takenBySequence(x, rows, node.shape, values);
    return values.operations.raw.again(values.of(node.x));
  },
  permute: ({ x, order }, values) => values.operations.permute(values.shaped(x), order),
  add: (node, values) => {
    const terms = values.run.reads(node);
    if (terms.length > 2) return values.operations.sum(values.alike(...terms));
    return values.operations.binary("AddV2", ...values.pair(node.x, node.y));
  },
  sub: ({ x, y }, values) => values.operations.binary("Sub", ...values.pair(x, y)),
  mul: ({ x, y }, values) => values.operations.binary("Mul", ...values.pair(x, y)),
  div: ({ x, y }, values) => values.operations.binary("RealDiv", ...values.pair(x, y)),
  scale: ({ x, factor }, { run, operations }) => operations.binary("Mul", run.of(x), operations.raw.number(factor)),
  sumTo: ({ x, shape }, values) => {
    const axes = shape.flatMap((size, axis) => (size === x.shape[axis] ? [] : [axis]));
    return values.operations.reduce("Sum", values.shaped(x), axes);
  },
  silu: ({ x }, { run, operations }) => operations.binary("Mul", run.of(x), operations.unary("Sigmoid", run.of(x))),
  relu: ({ x }, { run, operations }) => operations.unary("Relu", run.of(x)),
  tanh: ({ x }, { run, operations }) => operations.unary("Tanh", run.of(x)),
  abs: ({ x }, { run, operations }) => operations.unary("Abs", run.of(x)),
  gatherRows: ({ table, rows }, values) => taken(table, values.of(rows), values),
  sliceRows: ({ x, from, shape }, values) => values.operations.slice(values.inRows(x), from, shape[0] ?? 0),
  normalize: normalizeNatively,
  rope: ropeNatively,
  ...backwardLowerings,
};

function taken(table: Expression, rows: tf.Tensor, values: NativeValues): tf.Tensor {
  const found = values.operations.take(values.inRows(table), rows);
  return isHalf(table.dtype) ? values.operations.convert(found, types.f32) : found;
}

/** [sequences, length, ...]; the rows' numbers stay in that shape, for the other layers. */
function takenBySequence(
  table: Expression,
  rows: Expression,
  [sequences = 0, length = 0]: Shape,
  values: NativeValues,
): tf.Tensor {
  const own = values.of(rows);
  const shaped = (): tf.Tensor => values.operations.reshape(own, [sequences, length]);
  return taken(table, values.run.memory.derived(own, `of ${sequences} sequences`, shaped, 0), values);
}

/** As by every backend, of values in the shapes of their nodes. */
function evaluateShaped(node: Computation<Computed>, values: NativeValues): Promise<tf.Tensor> {
  const read = operands(node);
  return values.whileShaped(read, (...shaped) => {
    const known = new Map(read.map((operand, i) => [operand, shaped[i]] as const));
    const run: LoweringRun = { ...values.run, of: (operand) => known.get(operand) ?? values.of(operand) };
    return evaluate(node, run);
  });
}
