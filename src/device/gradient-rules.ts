/** What each operation passes back to its operands. */
import { elementCount, type Dtype } from "../tensor/dtype.ts";
import {
  add,
  cast,
  div,
  gatherRows,
  matmul,
  mul,
  permute,
  reshape,
  rope,
  scale,
  scatterRows,
  sliceRows,
  step,
  sub,
  sumTo,
  type Backward,
  type Expression,
  type Node,
  type Operation,
} from "./expression.ts";
import type { OperandName } from "./graph.ts";

/** Whole numbers, which have no derivatives, and the periods of rotary positions, which are constants of a model. */
type Constant = "rows" | "inverse" | "positions" | "periods" | "targets";

/** The derivative with respect to an operand, in its shape, from a node's own `g`. */
type Derive<Op extends Operation> = (node: Node<Op>, g: Expression) => Expression;

/** Operations whose results change in jumps pass nothing back: between these the derivative is 0. */
export const discrete = ["argmax", "step"] as const satisfies readonly Operation[];

type Discrete = (typeof discrete)[number];

/** An operation without a rule for one of its operands is a type error. Derivatives of derivatives are not computed. */
type Rules = {
  readonly [Op in Exclude<Operation, "input" | "constant" | Discrete | Backward["op"]>]: {
    readonly [Name in Exclude<OperandName<Op>, Constant>]: Derive<Op>;
  };
};

const rules: Rules = {
  // Straight through: rounding is a step function, whose derivative would be 0.
  cast: { x: (_, g) => g },
  reshape: { x: ({ x }, g) => reshape(g, x.shape) },
  permute: { x: ({ order }, g) => permute(g, inverse(order)) },
  add: { x: (_, g) => g, y: ({ y }, g) => sumTo(g, y.shape) },
  sub: { x: (_, g) => g, y: ({ y }, g) => scale(sumTo(g, y.shape), -1) },
  mul: { x: ({ y }, g) => mul(g, y), y: ({ x, y }, g) => sumTo(mul(g, x), y.shape) },
  div: {
    x: ({ y }, g) => div(g, y),
    y: (node, g) => scale(sumTo(div(mul(g, node), node.y), node.y.shape), -1),
  },
  scale: { x: ({ factor }, g) => scale(g, factor) },
  // Repeated along the dimensions of the sum.
  sumTo: { x: ({ x }, g) => add(scale(x, 0), g) },
  silu: { x: ({ x }, g) => ({ op: "siluBack", g, x, dtype: "f32", shape: x.shape }) },
  gelu: { x: ({ x, form }, g) => ({ op: "geluBack", g, x, form, dtype: "f32", shape: x.shape }) },
  // Nothing at 0, as in PyTorch.
  relu: { x: ({ x }, g) => ({ op: "reluBack", g, x, dtype: "f32", shape: x.shape }) },
  // Nothing at 0, as in PyTorch.
  abs: { x: ({ x }, g) => mul(g, sub(step(x), step(scale(x, -1)))) },
  // g (1 - tanh(x)^2)
  tanh: { x: (node, g) => sub(g, mul(g, mul(node, node))) },
  matmul: {
    x: ({ y, transposeX, transposeY, precision }, g) => {
      const [factor, allowed] = [y.dtype === "f16" ? cast(y, "f32") : y, { precision: backwards(precision) }];
      return transposeX
        ? matmul(cast(factor, "f32"), g, { transposeX: transposeY, transposeY: true, ...allowed })
        : matmul(g, factor, { transposeY: !transposeY, ...allowed });
    },
    y: ({ x, transposeX, transposeY, precision }, g) => {
      const allowed = { precision: backwards(precision) };
      return transposeY
        ? matmul(g, x, { transposeX: true, transposeY: transposeX, ...allowed })
        : matmul(x, g, { transposeX: !transposeX, ...allowed });
    },
  },
  gatherRows: {
    table: ({ table, rows, inverse }, g) =>
      inverse ? gatherRows(g, inverse) : scatterRows(g, rows, table.shape[0] ?? 0),
  },
  scatterRows: { x: ({ rows }, g) => gatherRows(g, rows) },
  // Nothing for the rows before and behind.
  sliceRows: { x: ({ x, from }, g) => ({ op: "padRows", g, from, dtype: "f32", shape: x.shape }) },
  concat: {
    x: ({ x, axis }, g) => sliceAlong(g, axis, 0, x.shape[axis] ?? 0),
    y: ({ x, y, axis }, g) => sliceAlong(g, axis, x.shape[axis] ?? 0, y.shape[axis] ?? 0),
  },
  normalize: { x: ({ x, epsilon }, g) => ({ op: "normalizeBack", g, x, epsilon, dtype: "f32", shape: x.shape }) },
  // The rotation by the negative angle.
  rope: { x: ({ positions, periods, factor }, g) => rope(g, positions, scale(periods, -1), factor) },
  softmax: {
    x: (node, g) => softmaxBack(node, g, node.factor),
    mask: (node, g) => {
      // One mask is for all heads.
      const [batch = 0, , n = 0, width = 0] = node.shape;
      return reshape(sumTo(softmaxBack(node, g, 1), [batch, 1, n, width]), [batch, n, width]);
    },
  },
  logProbability: {
    logits: ({ logits, targets }, g) => ({
      op: "logProbabilityBack",
      g,
      logits,
      targets,
      dtype: "f32",
      shape: logits.shape,
    }),
  },
};

/** The derivative with respect to the operand of that name, from a node's own `g`. */
export function derivativeOf(node: Expression, operand: string, g: Expression): Expression {
  const ofOperation = (rules as Readonly<Record<string, Readonly<Record<string, Derive<Operation>>>>>)[node.op];
  const derive = ofOperation?.[operand];
  if (!derive) throw new Error(`gradients: ${node.op} has no derivative with respect to its ${operand}`);
  return derive(node, g);
}

function softmaxBack(result: Node<"softmax">, g: Expression, factor: number): Expression {
  return { op: "softmaxBack", g, result, factor, dtype: "f32", shape: result.shape };
}

/** Derivatives are too small for f16, whose least number is 6e-8; bf16 has the range of f32. */
function backwards(precision: Dtype): Dtype {
  return precision === "f16" ? "f32" : precision;
}

/** `count` of the indices of a dimension, beginning with `from`. */
function sliceAlong(x: Expression, axis: number, from: number, count: number): Expression {
  const order = [axis, ...[...x.shape.keys()].filter((other) => other !== axis)];
  const outermost = permute(x, order);
  const [size = 0, ...others] = outermost.shape;
  const rows = sliceRows(reshape(outermost, [size, elementCount(others)]), from, count);
  return permute(reshape(rows, [count, ...others]), inverse(order));
}

function inverse(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}
