/** What a merge may know of a weight's parents as a whole: their lengths and angles. */
import { setImmediate } from "node:timers/promises";
import { bytesPerElement, type Dtype } from "./dtype.ts";
import { toFloat32 } from "./half.ts";

/**
 * Inner products, row by row, of the base (row 0) and of what each expert adds to it, in their order. Differences, since
 * those of an expert and its base would be lost among the digits of the products of both.
 */
export type Gram = readonly (readonly number[])[];

/** A weight of one parent as it is stored. */
export interface StoredValues {
  readonly dtype: Dtype;
  readonly bytes: Uint8Array;
}

/** Elements that are summed by themselves; the blocks of all parents are in a core's cache together. */
const BLOCK = 1024;
/** Elements that are widened at once, a whole number of blocks. */
const PIECE = 2 ** 16;
/** Pieces after which the event loop gets its turn. */
const PIECES = 32;

/**
 * The Gram matrix of one weight of base and experts, all of one size. Sums are those of doubles in a fixed order, block by
 * block, so that they have the same bits wherever a weight is read. Some 4 CPU-nanoseconds an element and parent.
 */
export async function gramOf(base: StoredValues, experts: readonly StoredValues[]): Promise<Gram> {
  const parents = [base, ...experts];
  const size = parents.length + (parents.length % 2);
  const sums = new Float64Array(size * size);
  const blocks = Array.from({ length: size }, () => new Float64Array(BLOCK));
  const nothing = new Float64Array(BLOCK);
  const count = base.bytes.length / bytesPerElement[base.dtype];
  for (let start = 0; start < count; start += PIECE) {
    if (start % (PIECES * PIECE) === 0) await setImmediate();
    const values = parents.map((parent) => valuesOf(parent, start, Math.min(count, start + PIECE)));
    for (let first = 0; first < Math.min(PIECE, count - start); first += BLOCK) {
      for (const [i, own] of values.entries()) subtract(blocks[i]!, own, first, i === 0 ? nothing : blocks[0]!);
      addProducts(sums, blocks);
    }
  }
  return parents.map((_, i) => parents.map((_, j) => sums[Math.max(i, j) * size + Math.min(i, j)]!));
}

function valuesOf({ dtype, bytes }: StoredValues, start: number, end: number): Float32Array {
  return toFloat32(bytes.subarray(start * bytesPerElement[dtype], end * bytesPerElement[dtype]), dtype);
}

/** A block of values less those of another; behind the end of the values there are zeros. */
function subtract(target: Float64Array, values: Float32Array, first: number, other: Float64Array): void {
  const filled = Math.min(BLOCK, values.length - first);
  for (let k = 0; k < filled; k += 1) target[k] = values[first + k]! - other[k]!;
  target.fill(0, filled);
}

/** Adds the products of an even number of blocks to the lower half of their matrix, two rows by two columns at a time. */
function addProducts(sums: Float64Array, blocks: readonly Float64Array[]): void {
  for (let i = 0; i < blocks.length; i += 2) {
    for (let j = 0; j <= i; j += 2) addFour(sums, i * blocks.length + j, blocks, i, j);
  }
}

function addFour(sums: Float64Array, at: number, blocks: readonly Float64Array[], i: number, j: number): void {
  const [x0, x1, y0, y1] = [blocks[i]!, blocks[i + 1]!, blocks[j]!, blocks[j + 1]!];
  let [s00, s01, s10, s11] = [0, 0, 0, 0];
  for (let k = 0; k < BLOCK; k += 1) {
    const a = x0[k]!;
    const b = x1[k]!;
    const c = y0[k]!;
    const d = y1[k]!;
    s00 += a * c;
    s01 += a * d;
    s10 += b * c;
    s11 += b * d;
  }
  const below = at + blocks.length;
  sums[at]! += s00;
  sums[at + 1]! += s01;
  sums[below]! += s10;
  sums[below + 1]! += s11;
}
