/**
 * Computations as plain data: an expression is a node that names its operation, its inputs, and the shape and dtype of
 * its result. Shapes are checked here, once for all engines; an engine only evaluates. A node used twice is computed once.
 * @module
 */
import { elementCount, sameShape, type Dtype, type Shape } from "../tensor/dtype.ts";
import { expect, type Typed } from "./check-operand.ts";
import type { DeviceTensor } from "./device-tensor.ts";
import type { GeluForm } from "./gelu.ts";

export type Expression = Typed &
  (
    | { readonly op: "input"; readonly tensor: DeviceTensor }
    | { readonly op: "constant"; readonly values: Float32Array }
    | { readonly op: "cast"; readonly x: Expression }
    | { readonly op: "reshape"; readonly x: Expression }
    | { readonly op: "permute"; readonly x: Expression; readonly order: readonly number[] }
    | { readonly op: "add"; readonly x: Expression; readonly y: Expression }
    | { readonly op: "sub"; readonly x: Expression; readonly y: Expression }
    | { readonly op: "mul"; readonly x: Expression; readonly y: Expression }
    | { readonly op: "div"; readonly x: Expression; readonly y: Expression }
    | { readonly op: "scale"; readonly x: Expression; readonly factor: number }
    | { readonly op: "sumTo"; readonly x: Expression }
    | { readonly op: "silu"; readonly x: Expression }
    | { readonly op: "gelu"; readonly x: Expression; readonly form: GeluForm }
    | { readonly op: "relu"; readonly x: Expression }
    | { readonly op: "tanh"; readonly x: Expression }
    | { readonly op: "abs"; readonly x: Expression }
    | { readonly op: "step"; readonly x: Expression }
    | ({ readonly op: "matmul"; readonly x: Expression; readonly y: Expression } & ProductOptions)
    | {
        readonly op: "gatherRows";
        readonly table: Expression;
        readonly rows: Expression;
        readonly inverse: Expression | undefined;
      }
    | { readonly op: "scatterRows"; readonly x: Expression; readonly rows: Expression }
    | { readonly op: "sliceRows"; readonly x: Expression; readonly from: number }
    | { readonly op: "concat"; readonly x: Expression; readonly y: Expression; readonly axis: number }
    | { readonly op: "normalize"; readonly x: Expression; readonly epsilon: number }
    | {
        readonly op: "rope";
        readonly x: Expression;
        readonly positions: Expression;
        readonly periods: Expression;
        readonly factor: number;
      }
    | {
        readonly op: "softmax";
        readonly x: Expression;
        readonly mask: Expression | undefined;
        readonly factor: number;
      }
    | { readonly op: "logProbability"; readonly logits: Expression; readonly targets: Expression }
    | { readonly op: "argmax"; readonly x: Expression }
    | Backward
  );

/**
 * What only derivatives consist of, so that it has none: those that engines compute at once, where `g` is that by the result
 * of the operation which each is named after, and the derivative by a factor.
 */
export type Backward =
  | { readonly op: "siluBack"; readonly g: Expression; readonly x: Expression }
  | { readonly op: "geluBack"; readonly g: Expression; readonly x: Expression; readonly form: GeluForm }
  | { readonly op: "reluBack"; readonly g: Expression; readonly x: Expression }
  | { readonly op: "normalizeBack"; readonly g: Expression; readonly x: Expression; readonly epsilon: number }
  | { readonly op: "softmaxBack"; readonly g: Expression; readonly result: Expression; readonly factor: number }
  | {
      readonly op: "logProbabilityBack";
      readonly g: Expression;
      readonly logits: Expression;
      readonly targets: Expression;
    }
  | { readonly op: "padRows"; readonly g: Expression; readonly from: number }
  | { readonly op: "dot"; readonly x: Expression; readonly y: Expression };

/** Which factors of a product stand transposed, and the format that an engine may round f32 factors to. */
export interface ProductOptions {
  readonly transposeX: boolean;
  readonly transposeY: boolean;
  readonly precision: Dtype;
}

export type Operation = Expression["op"];

/** The expressions of one operation. */
export type Node<Op extends Operation> = Extract<Expression, { op: Op }>;

export { abs, add, cast, div, gelu, mul, relu, scale, silu, step, sub, tanh } from "./elementwise.ts";

/** A tensor that is already on the device. */
export function input(tensor: DeviceTensor): Expression {
  return { op: "input", tensor, dtype: tensor.dtype, shape: tensor.shape };
}

/** Numbers that come with the computation, f32, and are on the device for as long as that takes. */
export function constant(values: Float32Array, shape: Shape): Node<"constant"> {
  expect(values.length === elementCount(shape), "constant", `numbers of [${shape.join(", ")}]`, {
    dtype: "f32",
    shape: [values.length],
  });
  return { op: "constant", values, dtype: "f32", shape };
}

/** The same elements in the same order under another shape. */
export function reshape(x: Expression, shape: Shape): Expression {
  expect(elementCount(shape) === elementCount(x.shape), "reshape", `as many elements as [${shape.join(", ")}]`, x);
  return { op: "reshape", x, dtype: x.dtype, shape };
}

/** The same elements with dimension order[i] of x at place i. */
export function permute(x: Expression, order: readonly number[]): Expression {
  expect(x.dtype === "f32", "permute", "f32", x);
  const isOrder = order.toSorted((a, b) => a - b).every((axis, i) => axis === i);
  expect(isOrder && order.length === x.shape.length, "permute", `the dimensions ${order.join(", ")}`, x);
  return { op: "permute", x, order, dtype: "f32", shape: order.map((axis) => x.shape[axis] ?? 0) };
}

/** Sums over the dimensions in which `shape` has a 1 and x more, f32. */
export function sumTo(x: Expression, shape: Shape): Expression {
  const fits = shape.length === x.shape.length && shape.every((size, i) => size === x.shape[i] || size === 1);
  expect(x.dtype === "f32" && fits, "sumTo", `f32 whose sizes are [${shape.join(", ")}], or more where that is 1`, x);
  return sameShape(shape, x.shape) ? x : { op: "sumTo", x, dtype: "f32", shape };
}

/**
 * Products of the matrices in the last two dimensions, f32: x [..., n, k] times y [..., k, m], or of their transposes where
 * so asked; equal leading dimensions. x is f32 and y any float format. Engines may round the factors to `precision`, which
 * is y's format unless said otherwise, and sum in f32; TensorFlow then rounds the sums to it, too.
 */
export function matmul(x: Expression, y: Expression, options: Partial<ProductOptions> = {}): Expression {
  const { transposeX = false, transposeY = false, precision = y.dtype === "i32" ? "f32" : y.dtype } = options;
  const [n, k] = matrixOf(x, transposeX);
  const [inner, m] = matrixOf(y, transposeY);
  const outside = x.shape.slice(0, -2);
  expect(x.dtype === "f32" && x.shape.length >= 2, "matmul", "f32 [..., n, k]", x);
  const fits = y.dtype !== "i32" && y.shape.length >= 2 && inner === k && sameShape(y.shape.slice(0, -2), outside);
  expect(fits, "matmul", `a float factor of [${[...outside, n, k].join(", ")}]`, y);
  return { op: "matmul", x, y, transposeX, transposeY, precision, dtype: "f32", shape: [...outside, n, m] };
}

/**
 * Rows of table [rows, width] (any float dtype) named by rows i32 [n]: f32 [n, width]. Where each row of the table passes its
 * derivative to one row of the result alone, `inverse` i32 [rows] may say which: the way back then gathers too, which a GPU does
 * far faster than it adds up. What other rows of the result would pass back is left out.
 */
export function gatherRows(table: Expression, rows: Expression, inverse?: Expression): Expression {
  const [count = 0, width = 0] = table.shape;
  expect(table.dtype !== "i32" && table.shape.length === 2, "gatherRows", "a float table [rows, width]", table);
  expect(rows.dtype === "i32" && rows.shape.length === 1, "gatherRows", "rows as i32 [n]", rows);
  if (inverse) {
    const fits = inverse.dtype === "i32" && sameShape(inverse.shape, [count]);
    expect(fits, "gatherRows", `an inverse as i32 [${count}]`, inverse);
  }
  return { op: "gatherRows", table, rows, inverse, dtype: "f32", shape: [rows.shape[0] ?? 0, width] };
}

/** f32 [count, width] of zeros, to whose rows i32 [n] the rows of x f32 [n, width] are added; a row named twice gets both. */
export function scatterRows(x: Expression, rows: Expression, count: number): Expression {
  expect(x.dtype === "f32" && x.shape.length === 2, "scatterRows", "f32 [n, width]", x);
  const fits = rows.dtype === "i32" && sameShape(rows.shape, x.shape.slice(0, 1));
  expect(fits, "scatterRows", `rows as i32 [${x.shape[0]}]`, rows);
  return { op: "scatterRows", x, rows, dtype: "f32", shape: [count, x.shape[1] ?? 0] };
}

/** `count` rows of x [rows, width] (any float dtype), of its format, from the row `from` on. */
export function sliceRows(x: Expression, from: number, count: number): Expression {
  const [rows = 0, width = 0] = x.shape;
  const fits = x.dtype !== "i32" && x.shape.length === 2 && from >= 0 && count > 0 && from + count <= rows;
  expect(fits, "sliceRows", `a float matrix of ${from + count} rows or more`, x);
  return { op: "sliceRows", x, from, dtype: x.dtype, shape: [count, width] };
}

/** x and y one after the other along a dimension, in which alone their sizes may differ; f32. */
export function concat(x: Expression, y: Expression, axis: number): Expression {
  const joined = (x.shape[axis] ?? 0) + (y.shape[axis] ?? 0);
  expect(x.dtype === "f32" && axis in x.shape, "concat", `f32 with a dimension ${axis}`, x);
  const whole = (size: number, i: number): number => (i === axis ? joined : size);
  const shape = x.shape.map(whole);
  const fits = sameShape(y.shape.map(whole), shape);
  expect(y.dtype === "f32" && fits, "concat", `f32 [${x.shape.join(", ")}], or another size of dimension ${axis}`, y);
  return { op: "concat", x, y, axis, dtype: "f32", shape };
}

/** x / sqrt(mean(x^2) + epsilon), the mean over the last dimension; x f32 [n, width]. */
export function normalize(x: Expression, epsilon: number): Expression {
  expect(x.dtype === "f32" && x.shape.length === 2, "normalize", "f32 [n, width]", x);
  return { op: "normalize", x, epsilon, dtype: "f32", shape: x.shape };
}

/**
 * Rotary position embedding, half-split layout: of a head's first r elements, i and i + r/2 turn by positions / periods[i]
 * radians and are multiplied by `factor`; the others stay as they are. x f32 [n, heads, d], positions i32 [n], periods
 * f32 [r/2] with r <= d (1 / inverse frequency; RoFormer, arXiv:2104.09864; the factor: YaRN, arXiv:2309.00071).
 */
export function rope(x: Expression, positions: Expression, periods: Expression, factor = 1): Expression {
  const [n, , width = 0] = x.shape;
  expect(x.dtype === "f32" && x.shape.length === 3, "rope", "f32 [n, heads, d]", x);
  expect(positions.dtype === "i32" && sameShape(positions.shape, [n ?? 0]), "rope", `positions i32 [${n}]`, positions);
  const fits = periods.dtype === "f32" && periods.shape.length === 1 && 2 * (periods.shape[0] ?? 0) <= width;
  expect(fits, "rope", `periods f32 [${width / 2}], or fewer`, periods);
  return { op: "rope", x, positions, periods, factor: Math.fround(factor), dtype: "f32", shape: x.shape };
}

/**
 * softmax(factor * x + mask) over the last dimension. x f32 [n, width] without a mask, or [batch, heads, n, width] with mask
 * f32 [batch, n, width] of 0 or -Infinity, at least one 0 a row.
 */
export function softmax(x: Expression, { mask, factor = 1 }: { mask?: Expression; factor?: number } = {}): Expression {
  const [batch = 0, , n = 0, width = 0] = x.shape;
  expect(x.dtype === "f32" && x.shape.length === (mask ? 4 : 2), "softmax", `f32 of ${mask ? 4 : 2} dimensions`, x);
  if (mask) {
    const fits = mask.dtype === "f32" && sameShape(mask.shape, [batch, n, width]);
    expect(fits, "softmax", `mask f32 [${batch}, ${n}, ${width}]`, mask);
  }
  return { op: "softmax", x, mask, factor, dtype: "f32", shape: x.shape };
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

/**
 * The column of the largest element of each row, of several the first, as torch has it: x f32 [n, width] of numbers, of no
 * more columns than f32 counts; i32 [n].
 */
export function argmax(x: Expression): Expression {
  const fits = x.dtype === "f32" && x.shape.length === 2 && (x.shape[1] ?? 0) <= 2 ** 24;
  expect(fits, "argmax", "f32 [n, width]", x);
  return { op: "argmax", x, dtype: "i32", shape: x.shape.slice(0, 1) };
}

/** The sum of all products of elements of x and y, f32 of equal shapes: f32 [1]. */
export function dot(x: Expression, y: Expression): Expression {
  expect(x.dtype === "f32" && x.shape.length > 0, "dot", "f32", x);
  expect(y.dtype === "f32" && sameShape(y.shape, x.shape), "dot", `f32 [${x.shape.join(", ")}]`, y);
  return { op: "dot", x, y, dtype: "f32", shape: [1] };
}

/** Rows and columns of the matrices of a factor. */
function matrixOf({ shape }: Expression, transposed: boolean): [number, number] {
  const [rows = 0, columns = 0] = shape.slice(-2);
  return transposed ? [columns, rows] : [rows, columns];
}
