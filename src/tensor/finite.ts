import type { Dtype } from "./dtype.ts";

/** The bits of a number's exponent; all of them set means NaN or infinity in every IEEE format. */
const exponentMask: Readonly<Record<Dtype, number>> = { f32: 0x7f80_0000, bf16: 0x7f80, f16: 0x7c00 };

/** Index of the first NaN or infinity among little-endian numbers, or -1. */
export function firstNonFinite(bytes: Uint8Array, dtype: Dtype): number {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset, byteLength } = aligned;
  const bits =
    dtype === "f32"
      ? new Uint32Array(buffer, byteOffset, byteLength / 4)
      : new Uint16Array(buffer, byteOffset, byteLength / 2);
  const mask = exponentMask[dtype];
  for (let i = 0; i < bits.length; i += 1) {
    if ((bits[i]! & mask) === mask) return i;
  }
  return -1;
}
