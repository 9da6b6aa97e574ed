/** Four elements of a stored type as f32, and back, as WebAssembly: with the bits that half.ts gives, NaN among them. */
import type { Dtype } from "../dtype.ts";
import { at, type Code, op, splat } from "./assembler.ts";

/** Two locals for vectors that the code may use. */
export type Scratch = readonly [number, number];

/** Leaves the elements at the address on the stack, `offset` bytes behind it. */
export const loadLanes: Readonly<Record<Dtype, (address: Code, offset: number, scratch: Scratch) => Code>> = {
  f32: (address, offset) => [...address, ...at("v128.load", offset)],
  bf16: (address, offset) => [...address, ...at("v128.load16x4_u", offset), ...shift("i32x4.shl", 16)],
  f16: (address, offset, scratch) => [...address, ...at("v128.load16x4_u", offset), ...widenFloat16(scratch)],
};

/** Rounds the elements on the stack to the nearest, ties to even, and stores them. */
export const storeLanes: Readonly<
  Record<Dtype, (address: Code, offset: number, values: Code, scratch: Scratch) => Code>
> = {
  f32: (address, offset, values) => [...address, ...values, ...at("v128.store", offset)],
  bf16: (address, offset, values, scratch) => [
    ...address,
    ...values,
    ...roundBfloat16(scratch),
    ...storeHalves(offset, scratch),
  ],
  f16: (address, offset, values, scratch) => [
    ...address,
    ...values,
    ...roundFloat16(scratch),
    ...storeHalves(offset, scratch),
  ],
};

/** The elements on the stack as the type would hold them. */
export const roundLanes: Readonly<Record<Dtype, (scratch: Scratch) => Code>> = {
  f32: () => [],
  bf16: (scratch) => [...roundBfloat16(scratch), ...shift("i32x4.shl", 16)],
  f16: (scratch) => [...roundFloat16(scratch), ...widenFloat16(scratch)],
};

const EXPONENT_F32 = 0x7f80_0000;
/** 2^112, by which exponents of f16 become those of f32. */
const REBIAS_UP = (127 + 112) << 23;
/** What the exponents of f32 are more than those of f16, in place. */
const REBIAS = 112 << 23;
/** 2^-14, below which f16 has a fixed unit of 2^-24: that of f32 at 1/2. */
const SMALLEST_NORMAL = 113 << 23;
const HALF = 126 << 23;
/** 2^16; up to here the carry of rounding gives infinity. */
const FIRST_INFINITE = 143 << 23;

/** Moves the bits of each lane. */
export function shift(name: "i32x4.shl" | "i32x4.shr_u", by: number): Code {
  return [0x41, by, ...op(name)];
}

function masked(bits: number): Code {
  return [...splat(bits), ...op("v128.and")];
}

/** Stores lanes of 32 bits, of which the upper half is 0, as halves. */
function storeHalves(offset: number, [lanes]: Scratch): Code {
  const both = [...op("local.tee", lanes), ...op("local.get", lanes), ...op("i16x8.narrow_i32x4_u")];
  return [...both, ...at("v128.store64_lane", offset, 0)];
}

/** Bits of f16 in i32 lanes to f32: the product is exact, of subnormal numbers too. */
export function widenFloat16([half]: Scratch): Code {
  const exponent = [...op("local.get", half), ...masked(0x7c00), ...splat(0x7c00), ...op("i32x4.ge_u")];
  return [
    ...op("local.tee", half),
    ...masked(0x7fff),
    ...shift("i32x4.shl", 13),
    ...splat(REBIAS_UP),
    ...op("f32x4.mul"),
    ...exponent,
    ...masked(EXPONENT_F32),
    ...op("v128.or"),
    ...op("local.get", half),
    ...masked(0x8000),
    ...shift("i32x4.shl", 16),
    ...op("v128.or"),
  ];
}

/** Half a unit less one, and the last bit that is kept, carry upwards exactly where the nearest even number is above. */
function rounded(value: Code, bits: number): Code {
  const last = [...value, ...shift("i32x4.shr_u", bits), ...masked(1)];
  return [
    ...value,
    ...splat(2 ** (bits - 1) - 1),
    ...op("i32x4.add"),
    ...last,
    ...op("i32x4.add"),
    ...shift("i32x4.shr_u", bits),
  ];
}

/** f32 to bits of bf16 in lanes of 32 bits. */
function roundBfloat16([value]: Scratch): Code {
  const get = op("local.get", value);
  return [
    ...op("local.set", value),
    ...get,
    ...shift("i32x4.shr_u", 16),
    ...splat(0x40), // The quiet bit keeps a NaN whose payload is cut.
    ...op("v128.or"),
    ...rounded(get, 16),
    ...get,
    ...get,
    ...op("f32x4.ne"),
    ...op("v128.bitselect"),
  ];
}

/** f32 to bits of f16 in lanes of 32 bits. */
export function roundFloat16([value, magnitude]: Scratch): Code {
  const size = op("local.get", magnitude);
  const normal = rounded([...size, ...splat(REBIAS), ...op("i32x4.sub")], 13);
  const subnormal = [...size, ...splat(HALF), ...op("f32x4.add"), ...splat(HALF), ...op("i32x4.sub")];
  const notANumber = [...size, ...masked(0x007f_ffff), ...shift("i32x4.shr_u", 13), ...splat(0x7e00), ...op("v128.or")];
  const where = (limit: number, above: Code, below: Code): Code => [
    ...above,
    ...below,
    ...size,
    ...splat(limit),
    ...op("i32x4.ge_u"),
    ...op("v128.bitselect"),
  ];
  const finite = where(SMALLEST_NORMAL, normal, subnormal);
  const infinite = where(FIRST_INFINITE, splat(0x7c00), finite);
  return [
    ...op("local.tee", value),
    ...masked(0x7fff_ffff),
    ...op("local.set", magnitude),
    ...where(EXPONENT_F32 + 1, notANumber, infinite),
    ...op("local.get", value),
    ...shift("i32x4.shr_u", 16),
    ...masked(0x8000),
    ...op("v128.or"),
  ];
}
