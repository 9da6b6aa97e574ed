/**
 * Eight elements of a stored type as two vectors of f32, those at even places and those at odd ones, and back: halves lie so
 * in their registers of 32 bits that nothing moves between lanes.
 */
import type { Dtype } from "../dtype.ts";
import { at, type Code, op } from "./assembler.ts";
import { roundFloat16, shift, widenFloat16 } from "./lanes.ts";

/** Locals for the vectors of even and of odd elements. */
export type Pair = readonly [even: number, odd: number];

/** Leaves four times the same bits on the stack. */
export type Splat = (bits: number) => Code;

const UPPER_HALVES = 0xffff_0000;
const VECTOR = 16;

/** Fills both locals with the elements at the address, `offset` bytes behind it. */
export const loadPairs: Readonly<
  Record<Dtype, (address: Code, offset: number, locals: Pair, splat: Splat, scratch: number) => Code>
> = {
  f32: (address, offset, [even, odd], _, scratch) => [
    ...address,
    ...at("v128.load", offset),
    ...op("local.tee", scratch),
    ...address,
    ...at("v128.load", offset + VECTOR),
    ...op("local.tee", odd),
    ...op("i8x16.shuffle", ...lanes(0, 2, 4, 6)),
    ...op("local.set", even),
    ...op("local.get", scratch),
    ...op("local.get", odd),
    ...op("i8x16.shuffle", ...lanes(1, 3, 5, 7)),
    ...op("local.set", odd),
  ],
  bf16: (address, offset, [even, odd], splat) => [
    ...address,
    ...at("v128.load", offset),
    ...op("local.tee", odd),
    ...shift("i32x4.shl", 16),
    ...op("local.set", even),
    ...op("local.get", odd),
    ...splat(UPPER_HALVES),
    ...op("v128.and"),
    ...op("local.set", odd),
  ],
  f16: (address, offset, [even, odd], splat, scratch) => [
    ...address,
    ...at("v128.load", offset),
    ...op("local.tee", odd),
    ...splat(0xffff),
    ...op("v128.and"),
    ...widenFloat16([scratch, scratch]),
    ...op("local.set", even),
    ...op("local.get", odd),
    ...shift("i32x4.shr_u", 16),
    ...widenFloat16([scratch, scratch]),
    ...op("local.set", odd),
  ],
};

/**
 * Rounds the elements in both locals, which are not NaN or have the bits of one that is computed, to the nearest, ties to even,
 * and stores them.
 */
export const storePairs: Readonly<
  Record<Dtype, (address: Code, offset: number, locals: Pair, splat: Splat, scratch: Pair) => Code>
> = {
  f32: (address, offset, locals) => {
    const both = locals.flatMap((local) => op("local.get", local));
    return [
      ...address,
      ...both,
      ...op("i8x16.shuffle", ...lanes(0, 4, 1, 5)),
      ...at("v128.store", offset),
      ...address,
      ...both,
      ...op("i8x16.shuffle", ...lanes(2, 6, 3, 7)),
      ...at("v128.store", offset + VECTOR),
    ];
  },
  bf16: (address, offset, [even, odd], splat) => [
    ...address,
    ...carried(even, splat),
    ...shift("i32x4.shr_u", 16),
    ...carried(odd, splat),
    ...splat(UPPER_HALVES),
    ...op("v128.and"),
    ...op("v128.or"),
    ...at("v128.store", offset),
  ],
  f16: (address, offset, [even, odd], _, scratch) => [
    ...address,
    ...op("local.get", even),
    ...roundFloat16(scratch),
    ...op("local.get", odd),
    ...roundFloat16(scratch),
    ...shift("i32x4.shl", 16),
    ...op("v128.or"),
    ...at("v128.store", offset),
  ],
};

/** Half a unit of bf16 less one, and the last bit that is kept, carry upwards exactly where the nearest even number is above. */
function carried(local: number, splat: Splat): Code {
  return [
    ...op("local.get", local),
    ...op("local.get", local),
    ...shift("i32x4.shr_u", 16),
    ...splat(1),
    ...op("v128.and"),
    ...op("i32x4.add"),
    ...splat(0x7fff),
    ...op("i32x4.add"),
  ];
}

/** Bytes of lanes of 32 bits, for a shuffle. */
function lanes(...places: readonly number[]): readonly number[] {
  return places.flatMap((place) => [0, 1, 2, 3].map((byte) => 4 * place + byte));
}
