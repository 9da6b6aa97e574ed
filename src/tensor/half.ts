import type { Dtype } from "./dtype.ts";

// Node 20 has no Float16Array. All work is on bit patterns, little-endian like safetensors and every platform of Node.

/** Widens little-endian elements at any alignment, exactly; always a fresh array. */
export function toFloat32(bytes: Uint8Array, dtype: Dtype): Float32Array<ArrayBuffer> {
  if (dtype === "f32") return new Float32Array(new Uint8Array(bytes).buffer);
  const halves = alignedHalves(bytes);
  const bits = new Uint32Array(halves.length);
  if (dtype === "bf16") {
    for (let i = 0; i < bits.length; i++) bits[i] = halves[i]! << 16;
  } else {
    const table = (float16Table ??= Uint32Array.from({ length: 0x1_0000 }, (_, half) => widenFloat16(half)));
    for (let i = 0; i < bits.length; i++) bits[i] = table[halves[i]!]!;
  }
  return new Float32Array(bits.buffer);
}

/** Rounds to the nearest, ties to even; overflow gives an infinity and NaN stays NaN. Always fresh, little-endian bytes. */
export function fromFloat32(values: Float32Array, dtype: Dtype): Uint8Array<ArrayBuffer> {
  const bits = new Int32Array(values.buffer, values.byteOffset, values.length);
  if (dtype === "f32") return new Uint8Array(new Int32Array(bits).buffer);
  const halves = new Uint16Array(bits.length);
  if (dtype === "bf16") {
    for (let i = 0; i < bits.length; i++) halves[i] = roundToBfloat16(bits[i]!);
  } else {
    for (let i = 0; i < bits.length; i++) halves[i] = roundToFloat16(bits[i]!);
  }
  return new Uint8Array(halves.buffer);
}

function alignedHalves(bytes: Uint8Array): Uint16Array {
  const { buffer, byteOffset, length } = bytes.byteOffset % 2 === 0 ? bytes : new Uint8Array(bytes);
  return new Uint16Array(buffer, byteOffset, length / 2);
}

const EXPONENT_F32 = 0x7f80_0000;
const MAGNITUDE_F32 = 0x7fff_ffff;
const MANTISSA_F32 = 0x007f_ffff;

/** Adding half a unit less one, plus the last kept bit, carries upwards exactly when nearest-even rounds up. */
function roundToBfloat16(bits: number): number {
  if ((bits & MAGNITUDE_F32) > EXPONENT_F32) return (bits >>> 16) | 0x40; // the quiet bit keeps a cut payload NaN
  return (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16;
}

function roundToFloat16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & MAGNITUDE_F32;
  if (magnitude >= SMALLEST_NORMAL && magnitude < FIRST_INFINITE)
    return sign | ((magnitude - REBIAS + 0xfff + ((magnitude >>> 13) & 1)) >>> 13);
  if (magnitude < SMALLEST_NORMAL) return sign | roundToSubnormal(magnitude);
  if (magnitude <= EXPONENT_F32) return sign | 0x7c00;
  return sign | 0x7e00 | ((magnitude & MANTISSA_F32) >>> 13);
}

/** 2^-14, below which f16 has a fixed unit of 2^-24. */
const SMALLEST_NORMAL = 113 << 23;
/** 2^16, beyond f16; from 65520 up to here the carry of the rounding already gives infinity. */
const FIRST_INFINITE = 143 << 23;
/** Exponent bias of f32 less that of f16. */
const REBIAS = (127 - 15) << 23;

function roundToSubnormal(magnitude: number): number {
  const exponent = magnitude >>> 23;
  if (exponent < 102) return 0; // below half a unit
  const mantissa = (magnitude & MANTISSA_F32) | 0x0080_0000;
  const shift = 126 - exponent;
  return (mantissa + (1 << (shift - 1)) - 1 + ((mantissa >>> shift) & 1)) >>> shift;
}

/** f32 bit pattern of every f16 bit pattern, 256 KiB; made when it is first asked for, which takes longer than most modules load. */
let float16Table: Uint32Array | undefined;

function widenFloat16(half: number): number {
  const sign = (half & 0x8000) << 16;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0x1f) return sign | EXPONENT_F32 | (mantissa << 13);
  if (exponent > 0) return sign | (((half & 0x7fff) << 13) + REBIAS);
  return sign | new Uint32Array(Float32Array.of(mantissa * 2 ** -24).buffer)[0]!;
}
