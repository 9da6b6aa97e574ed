/** What a merge may know of a weight's parents as a whole: their lengths and angles. */
import { setImmediate } from "node:timers/promises";
import { bytesPerElement, type Dtype } from "./dtype.ts";
import { BLOCK, InnerProducts } from "./wasm/inner-products.ts";

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

/** Blocks after which the event loop gets its turn. */
const BLOCKS = 2048;

/**
 * The Gram matrix of one weight of base and experts, all of one size. Sums are those of doubles in a fixed order, block by
 * block, so that they have the same bits wherever a weight is read. About a CPU-nanosecond an element and parent.
 */
export async function gramOf(base: StoredValues, experts: readonly StoredValues[]): Promise<Gram> {
  const parents = [base, ...experts];
  const products = new InnerProducts(parents.map(({ dtype }) => dtype));
  const tensors = parents.map(({ bytes }) => bytes);
  const count = base.bytes.length / bytesPerElement[base.dtype];
  for (let first = 0; first < count; first += BLOCK) {
    if (first % (BLOCKS * BLOCK) === 0) await setImmediate();
    products.add(tensors, first, Math.min(BLOCK, count - first));
  }
  return parents.map((_, i) => parents.map((_, j) => products.at(i, j)));
}
