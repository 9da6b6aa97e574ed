import { bytesPerElement, type Dtype } from "./dtype.ts";
import { exponentMask, LOOKED_AT, NonFinite } from "./wasm/non-finite.ts";

/** Index of the first NaN or infinity among little-endian numbers, or -1. */
export function firstNonFinite(bytes: Uint8Array, dtype: Dtype): number {
  using look = new NonFinite(dtype);
  for (let start = 0; start < bytes.length; start += LOOKED_AT) {
    const piece = bytes.subarray(start, start + LOOKED_AT);
    if (look.isAmong(piece)) return start / bytesPerElement[dtype] + scan(piece, dtype);
  }
  return -1;
}

function scan(piece: Uint8Array, dtype: Dtype): number {
  const { buffer } = new Uint8Array(piece);
  const bits = dtype === "f32" ? new Uint32Array(buffer) : new Uint16Array(buffer);
  const mask = exponentMask[dtype];
  return bits.findIndex((own) => (own & mask) === mask);
}
