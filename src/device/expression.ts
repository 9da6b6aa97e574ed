/**
 * Computations as plain data: an expression is a node that names its operation, its inputs, and the shape and dtype of
 * its result. Shapes are checked here, once for all engines; an engine only evaluates. A node used twice is computed once.
 * @module
 */
import { elementCount, sameShape, type Dtype, type Shape } from "../tensor/dtype.ts";
import type { DeviceDtype, DeviceTensor } from "./device-tensor.ts";

interface Typed {
  readonly dtype: DeviceDtype;
  readonly shape: Shape;
}

export type Expression = Typed &
  (
    | { readonly op: "input"; readonly tensor: DeviceTensor }
    | { readonly op: "cast"; readonly x: Expression }
    | { readonly op: "reshape"; readonly x: Expression }
    | { readonly op: "add"; readonly x: Expression; readonly y: Expression }
    | { readonly op: "sub"; readonly x: Expression; readonly y: Expression }
    | { readonly op: "mul"; readonly x: Expression; readonly y: Expression }
    | { readonly op: "scale"; readonly x: Expression; readonly factor: number }
    | { readonly op: "silu"; readonly x: Expression }
    | { readonly op: "linear"; readonly x: Expression; readonly weight: Expression }
    | { readonly op: "gatherRows"; readonly table: Expression; readonly rows: Expression }
    | { readonly op: "rmsNorm"; readonly x: Expression; readonly weight: Expression; readonly epsilon: number }
    | { readonly op: "rope"; readonly x: Expression; readonly positions: Expression; readonly periods: Expression }
    | {
        readonly op: "attention";
        readonly query: Expression;
        readonly key: Expression;
        readonly value: Expression;
        readonly mask: Expression;
        readonly factor: number;
      }
    | { readonly op: "logProbability"; readonly logits: Expression; readonly targets: Expression }
  );

export type Operation = Expression["op"];

/** The expressions of one operation. */
export type Node<Op extends Operation> = Extract<Expression, { op: Op }>;

/** A tensor that is already on the device. */
export function input(tensor: DeviceTensor): Expression {
  return { op: "input", tensor, dtype: tensor.dtype, shape: tensor.shape };
}

/** Converts to another float format, rounding to nearest, ties to even. */
export function cast(x: Expression, dtype: Dtype): Expression {
  expect(x.dtype !== "i32", "cast", "a float input", x);
  return x.dtype === dtype ? x : { op: "cast", x, dtype, shape: x.shape };
}

/** The same elements in the same order under another shape. */
export function reshape(x: Expression, shape: Shape): Expression {
  expect(elementCount(shape) === elementCount(x.shape), "reshape", `as many elements as [${shape.join(", ")}]`, x);
  return { op: "reshape", x, dtype: x.dtype, shape };
}

/** Elementwise x + y, f32, equal shapes. */
export function add(x: Expression, y: Expression): Expression {
  return elementwise("add", x, y);
}

/** Elementwise x - y, f32, equal shapes. */
export function sub(x: Expression, y: Expression): Expression {
  return elementwise("sub", x, y);
}

/** Elementwise x * y, f32, equal shapes. */
export function mul(x: Expression, y: Expression): Expression {
  return elementwise("mul", x, y);
}

/** x * factor in f32; the factor is rounded to f32 first. */
export function scale(x: Expression, factor: number): Expression {
  expect(x.dtype === "f32", "scale", "f32", x);
  return { op: "scale", x, factor: Math.fround(factor), dtype: "f32", shape: x.shape };
}

/** x * sigmoid(x), f32. */
export function silu(x: Expression): Expression {
  expect(x.dtype === "f32", "silu", "f32", x);
  return { op: "silu", x, dtype: "f32", shape: x.shape };
}

/** x [n, in] times the transpose of weight [out, in] (any float dtype): f32 [n, out]. */
export function linear(x: Expression, weight: Expression): Expression {
  expect(x.dtype === "f32" && x.shape.length === 2, "linear", "f32 [n, in]", x);
  expect(weight.shape.length === 2 && weight.shape[1] === x.shape[1], "linear", `weight [out, ${x.shape[1]}]`, weight);
  return { op: "linear", x, weight, dtype: "f32", shape: [x.shape[0] ?? 0, weight.shape[0] ?? 0] };
}

/** Rows of table [rows, width] (any float dtype) named by rows i32 [n]: f32 [n, width]. */
export function gatherRows(table: Expression, rows: Expression): Expression {
  expect(table.dtype !== "i32" && table.shape.length === 2, "gatherRows", "a float table [rows, width]", table);
  expect(rows.dtype === "i32" && rows.shape.length === 1, "gatherRows", "rows as i32 [n]", rows);
  return { op: "gatherRows", table, rows, dtype: "f32", shape: [rows.shape[0] ?? 0, table.shape[1] ?? 0] };
}

/** x / sqrt(mean(x^2) + epsilon) * weight over the last dimension; x f32 [n, width], weight f32 [width]. */
export function rmsNorm(x: Expression, weight: Expression, epsilon: number): Expression {
  expect(x.dtype === "f32" && x.shape.length === 2, "rmsNorm", "f32 [n, width]", x);
  expect(weight.dtype === "f32" && sameShape(weight.shape, x.shape.slice(1)), "rmsNorm", "weight f32 [width]", weight);
  return { op: "rmsNorm", x, weight, epsilon, dtype: "f32", shape: x.shape };
}

/**
 * Rotary position embedding, half-split layout: elements i and i + d/2 of a head turn by positions / periods[i] radians.
 * x f32 [n, heads, d], positions i32 [n], periods f32 [d/2] (1 / inverse frequency; RoFormer, arXiv:2104.09864).
 */
export function rope(x: Expression, positions: Expression, periods: Expression): Expression {
  const [n, , width = 0] = x.shape;
  expect(x.dtype === "f32" && x.shape.length === 3, "rope", "f32 [n, heads, d]", x);
  expect(positions.dtype === "i32" && sameShape(positions.shape, [n ?? 0]), "rope", `positions i32 [${n}]`, positions);
  expect(periods.dtype === "f32" && periods.shape[0] === width / 2, "rope", `periods f32 [${width / 2}]`, periods);
  return { op: "rope", x, positions, periods, dtype: "f32", shape: x.shape };
}

/**
 * softmax(factor * query key^T + mask) value, per sequence and head; query head h reads key/value head h / (heads / kvHeads).
 * query f32 [batch, length, heads, d], key and value f32 [batch, length, kvHeads, d], mask f32 [batch, length, length]
 * with 0 or -Infinity, at least one 0 a row. Result f32 [batch * length, heads * d].
 */
export function attention(
  tensors: { query: Expression; key: Expression; value: Expression; mask: Expression },
  factor: number,
): Expression {
  const { query, key, value, mask } = tensors;
  const [batch = 0, length = 0, heads = 0, width = 0] = query.shape;
  const kvHeads = key.shape[2] ?? 0;
  expect(query.dtype === "f32" && query.shape.length === 4, "attention", "query f32 [batch, length, heads, d]", query);
  expect(
    key.dtype === "f32" && sameShape(key.shape, [batch, length, kvHeads, width]) && heads % kvHeads === 0,
    "attention",
    `key f32 [${batch}, ${length}, a divisor of ${heads}, ${width}]`,
    key,
  );
  expect(value.dtype === "f32" && sameShape(value.shape, key.shape), "attention", "value shaped like key", value);
  expect(
    mask.dtype === "f32" && sameShape(mask.shape, [batch, length, length]),
    "attention",
    `mask f32 [${batch}, ${length}, ${length}]`,
    mask,
  );
  return { op: "attention", query, key, value, mask, factor, dtype: "f32", shape: [batch * length, heads * width] };
}

/** log softmax(logits)[targets] in nats: logits f32 [n, vocabulary], targets i32 [n]; f32 [n]. */
export function logProbability(logits: Expression, targets: Expression): Expression {
  expect(logits.dtype === "f32" && logits.shape.length === 2, "logProbability", "logits f32 [n, vocabulary]", logits);
  expect(
    targets.dtype === "i32" && sameShape(targets.shape, logits.shape.slice(0, 1)),
    "logProbability",
    `targets i32 [${logits.shape[0]}]`,
    targets,
  );
  return { op: "logProbability", logits, targets, dtype: "f32", shape: targets.shape };
}

/** The nodes that an expression reads directly, in a fixed order. */
export function operands(node: Expression): readonly Expression[] {
  switch (node.op) {
    case "input":
      return [];
    case "cast":
    case "reshape":
    case "scale":
    case "silu":
      return [node.x];
    case "add":
    case "sub":
    case "mul":
      return [node.x, node.y];
    case "linear":
    case "rmsNorm":
      return [node.x, node.weight];
    case "gatherRows":
      return [node.table, node.rows];
    case "rope":
      return [node.x, node.positions, node.periods];
    case "attention":
      return [node.query, node.key, node.value, node.mask];
    case "logProbability":
      return [node.logits, node.targets];
    default:
      return node satisfies never;
  }
}

/** Every node that the outputs need, each once, inputs before users. */
export function inOrder(outputs: readonly Expression[]): Expression[] {
  const seen = new Set<Expression>();
  const visit = (node: Expression): void => {
    if (seen.has(node)) return;
    for (const operand of operands(node)) visit(operand);
    seen.add(node);
  };
  for (const output of outputs) visit(output);
  return [...seen];
}

/** The tensors that the nodes read, each once. */
export function tensorsOf(nodes: readonly Expression[]): DeviceTensor[] {
  return [...new Set(nodes.flatMap((node) => (node.op === "input" ? [node.tensor] : [])))];
}

function elementwise(op: "add" | "sub" | "mul", x: Expression, y: Expression): Expression {
  expect(x.dtype === "f32", op, "f32", x);
  expect(y.dtype === "f32" && sameShape(x.shape, y.shape), op, `f32 [${x.shape.join(", ")}]`, y);
  return { op, x, y, dtype: "f32", shape: x.shape };
}

function expect(holds: boolean, op: Operation, expected: string, found: Typed): void {
  if (!holds) throw new Error(`${op}: expected ${expected}, found ${found.dtype} [${found.shape.join(", ")}]`);
}
