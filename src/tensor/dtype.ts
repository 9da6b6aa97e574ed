/** Number formats of stored weights. */
export type Dtype = "f32" | "f16" | "bf16";

/** Dimensions of a row-major tensor, outermost first. */
export type Shape = readonly number[];

export const bytesPerElement: Readonly<Record<Dtype, number>> = { f32: 4, f16: 2, bf16: 2 };

/** Number of elements of a tensor of this shape; 1 for a scalar. */
export function elementCount(shape: Shape): number {
  return shape.reduce((product, size) => product * size, 1);
}

export function sameShape(a: Shape, b: Shape): boolean {
  return a.length === b.length && a.every((size, i) => size === b[i]);
}
