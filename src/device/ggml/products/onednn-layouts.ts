import { elementCount } from "../../../tensor/dtype.ts";
import { TYPES } from "./onednn-functions.ts";
import type { SpreadProducts } from "./product-library.ts";

/** A matrix in memory, or many of them, as oneDNN describes it. */
export interface MatrixLayout {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly type: number;
}

/** Of left, right, result, and the operands of steps. */
export function layoutsOf(products: SpreadProducts): MatrixLayout[] {
  const { outside, rows, columns, inner, format, left, right, resultFormat = "f32", steps = [] } = products;
  // A matrix that several of the other factor are multiplied with has size 1 there, and any stride but 0.
  const factor = (strides: readonly number[], matrix: readonly number[]): MatrixLayout => ({
    sizes: [...outside.map((size, i) => (strides[i] === 0 ? 1 : size)), ...matrix],
    strides: strides.map((stride) => stride || 1),
    type: TYPES[format],
  });
  return [
    factor(left.strides, [rows, inner]),
    factor(right.strides, [inner, columns]),
    inOrder([...outside, rows, columns], TYPES[resultFormat]),
    ...steps.flatMap((step) => ("address" in step ? [inOrder([step.rows, columns], TYPES.f32)] : [])),
  ];
}

function inOrder(sizes: readonly number[], type: number): MatrixLayout {
  return { sizes, strides: sizes.map((_, i) => elementCount(sizes.slice(i + 1))), type };
}

/** All but the addresses: what has the same is computed by the same primitive. */
export function productKey({
  outside,
  rows,
  columns,
  inner,
  format,
  left,
  right,
  resultFormat,
  steps = [],
}: SpreadProducts): string {
  const own = steps.map((step) => ("address" in step ? `${step.op} ${step.rows}` : step.op));
  return [outside, rows, columns, inner, format, left.strides, right.strides, resultFormat, own].join(";");
}
