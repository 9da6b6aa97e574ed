import { elementCount } from "../../../tensor/dtype.ts";
import type { Pointer } from "../library.ts";
import { type DnnlFunctions, type DnnlObjects, TYPES } from "./onednn-functions.ts";
import type { FactorFormat, SpreadProducts } from "./product-library.ts";

/** A matrix in memory, or many of them, as oneDNN describes it. */
export interface MatrixLayout {
  readonly sizes: readonly number[];
  readonly strides: readonly number[];
  readonly type: number;
}

/** Of left, right, result, and the operands of steps. */
export function layoutsOf(products: SpreadProducts): MatrixLayout[] {
  const { rows, columns, inner, format, left, right, resultFormat = "f32", steps = [] } = products;
  // In batches of one sequence oneDNN 3.12 left results unwritten where a loop of one stood before others.
  const loops = products.outside.flatMap((size, i) => (size === 1 ? [] : [i]));
  const outside = loops.map((i) => products.outside[i] ?? 1);
  // A matrix that several of the other factor are multiplied with has size 1 there, and any stride but 0.
  const factor = (all: readonly number[], matrix: readonly number[]): MatrixLayout => {
    const strides = [...loops.map((i) => all[i] ?? 0), ...all.slice(-2)];
    const sizes = [...outside.map((size, i) => (strides[i] === 0 ? 1 : size)), ...matrix];
    return { sizes, strides: strides.map((stride) => stride || 1), type: TYPES[format] };
  };
  return [
    factor(left.strides, [rows, inner]),
    factor(right.strides, [inner, columns]),
    elementAfterElement([...outside, rows, columns], resultFormat),
    ...steps.flatMap((step) => ("address" in step ? [elementAfterElement([step.rows, columns], "f32")] : [])),
  ];
}

/** Elements one after another. */
export function elementAfterElement(sizes: readonly number[], format: FactorFormat): MatrixLayout {
  return { sizes, strides: sizes.map((_, i) => elementCount(sizes.slice(i + 1))), type: TYPES[format] };
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

export function newLayouts(dnnl: DnnlFunctions, objects: DnnlObjects, layouts: readonly MatrixLayout[]): Pointer[] {
  return layouts.map(({ sizes, strides, type }) =>
    objects.make((out) => dnnl.newLayout(out, sizes.length, sizes, type, strides), dnnl.freeLayout),
  );
}
