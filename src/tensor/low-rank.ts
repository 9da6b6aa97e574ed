import { setImmediate } from "node:timers/promises";
import type { Dtype } from "./dtype.ts";
import { fromFloat32, toFloat32 } from "./half.ts";

/** Two matrices whose product is added: `left` is [rows, rank], `right` [rank, columns], both row-major. */
export interface LowRank {
  readonly left: Float32Array;
  readonly right: Float32Array;
  readonly rank: number;
  readonly scale: number;
  /** A type that the product is rounded to before it is added. */
  readonly roundedTo: Dtype;
  /** DoRA: the length that each row or column of the sum is to have. */
  readonly magnitude?: { readonly values: Float32Array; readonly of: "rows" | "columns" } | undefined;
}

/** Multiplications between two turns of the event loop: some 10 ms. */
const SLICE = 2 ** 24;

/**
 * Adds a scaled product to a matrix, in place: sums in f64, and each rounding to f32 that peft's order of operations has
 * (`W + scale * (B A)`; DoRA's `magnitude / |V| * V` with `V = W + scale * (B A)`, arXiv:2402.09353, equation 5).
 */
export async function addLowRank(matrix: Float32Array, change: LowRank): Promise<void> {
  const { right, rank, scale, roundedTo, magnitude } = change;
  const columns = right.length / rank;
  const rows = matrix.length / columns;
  const factor = Math.fround(scale);
  const product = new Float64Array(columns);
  const delta = new Float32Array(columns);
  const rowsAtOnce = Math.max(1, Math.floor(SLICE / right.length));
  for (let row = 0; row < rows; row++) {
    if (row > 0 && row % rowsAtOnce === 0) await setImmediate();
    multiplyRow(product, change, row);
    delta.set(product);
    for (let j = 0; j < columns; j++) delta[j] = delta[j]! * factor;
    if (roundedTo !== "f32") delta.set(toFloat32(fromFloat32(delta, roundedTo), roundedTo));
    const own = matrix.subarray(row * columns, (row + 1) * columns);
    for (let j = 0; j < columns; j++) own[j] = own[j]! + delta[j]!;
  }
  if (magnitude) setLengths(matrix, columns, magnitude);
}

/** A row of the product; four terms at once, so that a sum is loaded and stored a quarter as often. */
function multiplyRow(product: Float64Array, { left, right, rank }: LowRank, row: number): void {
  const columns = product.length;
  const at = row * rank;
  product.fill(0);
  let k = 0;
  for (; k + 4 <= rank; k += 4) {
    const [a, b, c, d] = [left[at + k]!, left[at + k + 1]!, left[at + k + 2]!, left[at + k + 3]!];
    const first = k * columns;
    const [second, third, fourth] = [first + columns, first + 2 * columns, first + 3 * columns];
    for (let j = 0; j < columns; j++) {
      product[j]! += a * right[first + j]! + b * right[second + j]! + c * right[third + j]! + d * right[fourth + j]!;
    }
  }
  for (; k < rank; k++) {
    const a = left[at + k]!;
    for (let j = 0; j < columns; j++) product[j]! += a * right[k * columns + j]!;
  }
}

function setLengths(
  matrix: Float32Array,
  columns: number,
  { values, of }: { readonly values: Float32Array; readonly of: "rows" | "columns" },
): void {
  const squares = new Float64Array(values.length);
  const indexOf = of === "rows" ? (at: number) => Math.floor(at / columns) : (at: number) => at % columns;
  for (let at = 0; at < matrix.length; at++) squares[indexOf(at)]! += matrix[at]! ** 2;
  const factors = Float32Array.from(values, (length, i) => length / Math.fround(Math.sqrt(squares[i]!)));
  for (let at = 0; at < matrix.length; at++) matrix[at] = factors[indexOf(at)]! * matrix[at]!;
}

/** Adds scaled values in place, each product and each sum rounded to f32. */
export function addScaled(target: Float32Array, added: Float32Array, scale: number): void {
  const factor = Math.fround(scale);
  for (let i = 0; i < target.length; i++) target[i] = target[i]! + Math.fround(added[i]! * factor);
}

/** Columns as rows. */
export function transposed(values: Float32Array, rows: number): Float32Array {
  const columns = values.length / rows;
  const result = new Float32Array(values.length);
  for (let i = 0; i < rows; i++) for (let j = 0; j < columns; j++) result[j * rows + i] = values[i * columns + j]!;
  return result;
}
