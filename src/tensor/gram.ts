/** What a merge may know of a weight's parents as a whole: their lengths and angles. */
import { setImmediate } from "node:timers/promises";
import { bytesPerElement } from "./dtype.ts";
import { copyElements, elementsOf, type StoredValues } from "./stored-values.ts";
import { BLOCK, InnerProducts } from "./wasm/inner-products.ts";

/**
 * Inner products, row by row, of the base (row 0) and of what each expert adds to it, in their order. Differences, since
 * those of an expert and its base would be lost among the digits of the products of both.
 */
export type Gram = readonly (readonly number[])[];

/** Elements of each tensor that are read at once, whole blocks. */
const PIECE = 64 * BLOCK;
/** Pieces after which the event loop gets its turn. */
const PIECES = 32;

/**
 * The Gram matrix of one weight of base and experts, all of one size. Sums are those of doubles in a fixed order, block by
 * block, so that they have the same bits wherever a weight is read. About a CPU-nanosecond an element and parent.
 */
export async function gramOf(base: StoredValues, experts: readonly StoredValues[]): Promise<Gram> {
  const parents = [base, ...experts];
  using products = new InnerProducts(parents.map(({ dtype }) => dtype));
  const pieces = parents.map(({ dtype }) => new Uint8Array(PIECE * bytesPerElement[dtype]));
  const all = elementsOf(base);
  for (let start = 0, piece = 0; start < all; start += PIECE, piece += 1) {
    if (piece % PIECES === 0) await setImmediate();
    const count = Math.min(PIECE, all - start);
    const read = pieces.map((bytes, i) => bytes.subarray(0, count * bytesPerElement[parents[i]!.dtype]));
    for (const [i, parent] of parents.entries()) copyElements(parent, start, read[i]!);
    for (let first = 0; first < count; first += BLOCK) products.add(read, first, Math.min(BLOCK, count - first));
  }
  return parents.map((_, i) => parents.map((_, j) => products.at(i, j)));
}
