import type { Dtype } from "../src/tensor/dtype.ts";
import { toFloat32 } from "../src/tensor/half.ts";

/** Numbers that are equal where all bits are, but for NaN, whose sign and payload are each processor's. */
export function numbersOf(bytes: Uint8Array, dtype: Dtype): number[] {
  return Array.from(toFloat32(bytes, dtype), (value) => (Number.isNaN(value) ? Number.NaN : value));
}
