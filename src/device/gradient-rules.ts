/** What each operation passes back to its operands. */
import type { Dtype, Shape } from "../tensor/dtype.ts";
import {
  add,
  cast,
  divideByRms,
  gatherRows,
  matmul,
  mul,
  oneHot,
  permute,
  reshape,
  rope,
  scale,
  scatterRows,
  sigmoid,
  softmax,
  sub,
  sumRows,
  type Expression,
  type Node,
  type Operation,
} from "./expression.ts";
import type { OperandName } from "./graph.ts";

/** Whole numbers, which have no derivatives, and the periods of rotary positions, which are constants of a model. */
type Constant = "rows" | "places" | "positions" | "periods" | "targets";

/** The derivative with respect to an operand, in its shape, from a node's own `g`. */
type Derive<Op extends Operation> = (node: Node<Op>, g: Expression) => Expression;

/** An operation without a rule for one of its operands is a type error. */
type Rules = {
  readonly [Op in Operation]: { readonly [Name in Exclude<OperandName<Op>, Constant>]: Derive<Op> };
};

const rules: Rules = {
  input: {},
  // Straight through: rounding is a step function, whose derivative would be 0.
  cast: { x: (_, g) => g },
  reshape: { x: ({ x }, g) => reshape(g, x.shape) },
  permute: { x: ({ order }, g) => permute(g, inverse(order)) },
  add: { x: (_, g) => g, y: ({ y }, g) => sumTo(y.shape, g) },
  sub: { x: (_, g) => g, y: ({ y }, g) => scale(sumTo(y.shape, g), -1) },
  mul: { x: ({ y }, g) => mul(g, y), y: ({ x, y }, g) => sumTo(y.shape, mul(g, x)) },
  scale: { x: ({ factor }, g) => scale(g, factor) },
  sigmoid: { x: (node, g) => mul(g, sub(node, mul(node, node))) },
  silu: {
    // s + y (1 - s) with s = sigmoid(x) and y = x s.
    x: (node, g) => {
      const s = sigmoid(node.x);
      return mul(g, add(s, sub(node, mul(node, s))));
    },
  },
  sumRows: { x: ({ x }, g) => add(scale(x, 0), g) },
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
  gatherRows: { table: ({ table, rows }, g) => scatterRows(g, rows, table.shape[0] ?? 0) },
  scatterRows: { x: ({ rows }, g) => gatherRows(g, rows) },
  oneHot: {},
  divideByRms: {
    x: ({ of, epsilon }, g) => divideByRms(g, of, epsilon),
    // With r = 1 / rms: -r^3 of <g, x> / width.
    of: (node, g) => {
      const { of, epsilon } = node;
      const share = scale(sumRows(mul(g, node)), -1 / (of.shape[1] ?? 1));
      return divideByRms(mul(divideByRms(of, of, epsilon), share), of, epsilon);
    },
  },
  // The rotation by the negative angle.
  rope: { x: ({ positions, periods }, g) => rope(g, positions, scale(periods, -1)) },
  softmax: {
    x: (node, g) => scale(throughSoftmax(node, g), node.factor),
    // A mask is the same for all heads.
    mask: (node, g) => {
      const [batch = 0, , n = 0, width = 0] = node.shape;
      return reshape(sumTo([batch, 1, n, width], throughSoftmax(node, g)), [batch, n, width]);
    },
  },
  logProbability: {
    logits: ({ logits, targets }, g) => {
      const [n = 0, vocabulary = 0] = logits.shape;
      return mul(sub(oneHot(targets, vocabulary), softmax(logits)), reshape(g, [n, 1]));
    },
  },
};

/** The derivative with respect to the operand of that name, from a node's own `g`. */
export function derivativeOf(node: Expression, operand: string, g: Expression): Expression {
  const rule = (rules[node.op] as Readonly<Record<string, Derive<Operation>>>)[operand];
  if (!rule) throw new Error(`gradients: ${operand} of ${node.op} is a constant, which has no derivative`);
  return rule(node, g);
}

/** Sums over the dimensions along which a tensor of this shape was repeated. */
function sumTo(shape: Shape, g: Expression): Expression {
  const last = shape.length - 1;
  return shape.reduce<Expression>((sum, size, axis) => {
    if (size === sum.shape[axis]) return sum;
    const swapped = shape.map((_, i) => (i === axis ? last : i === last ? axis : i));
    return axis === last ? sumRows(sum) : permute(sumRows(permute(sum, swapped)), swapped);
  }, g);
}

/** Before the factor and the mask: P (g - sum of g P) over each row. */
function throughSoftmax(p: Expression, g: Expression): Expression {
  return mul(p, sub(g, sumRows(mul(g, p))));
}

/** Derivatives are too small for f16, whose least number is 6e-8; bf16 has the range of f32. */
function backwards(precision: Dtype): Dtype {
  return precision === "f16" ? "f32" : precision;
}

function inverse(order: readonly number[]): number[] {
  return order.map((_, axis) => order.indexOf(axis));
}
