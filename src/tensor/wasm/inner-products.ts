import { bytesPerElement, type Dtype } from "../dtype.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";
import { LANES, pairAt, type ProductsLayout, productsLayout, productsModule } from "./products-code.ts";

export { BLOCK } from "./products-code.ts";

/**
 * Inner products of a tensor and of the differences of others from it, in doubles. Within a block the products of every fourth
 * element are added one after the other; sums of even elements and those of odd ones are added block by block, and to each
 * other in the end.
 */
export class InnerProducts implements Disposable {
  readonly #blocks: Blocks;

  /** The types of the tensors, of which the others are taken from the first. */
  constructor(dtypes: readonly Dtype[]) {
    this.#blocks = new Blocks(productsLayout(dtypes, 2), "block");
  }

  /** Adds the products of a block, of which each tensor gives up to so many elements from one on. */
  add(tensors: readonly Uint8Array[], first: number, count: number): void {
    this.#blocks.run(tensors, first, count, 0);
  }

  /** That of two of them, by their places. */
  at(i: number, j: number): number {
    const [even = Number.NaN, odd = Number.NaN] = this.#blocks.sums(i, j);
    return even + odd;
  }

  /** Begins again with those of other elements. */
  clear(): void {
    this.#blocks.clear();
  }

  [Symbol.dispose](): void {
    this.#blocks[Symbol.dispose]();
  }
}

/** The same of each column of tensors that are read row by row, whose products are added one after the other. */
export class ColumnProducts implements Disposable {
  readonly #blocks: Blocks;

  constructor(dtypes: readonly Dtype[], columns: number) {
    this.#blocks = new Blocks(productsLayout(dtypes, Math.ceil(columns / LANES) * LANES), "element");
  }

  /** Adds the products of up to a block of elements from one on, which stand in the columns from `column` on. */
  add(tensors: readonly Uint8Array[], first: number, count: number, column: number): void {
    this.#blocks.run(tensors, first, count, column);
  }

  /** Those of two tensors, by column; behind the last stand some of nothing. */
  sums(i: number, j: number): Float64Array {
    return this.#blocks.sums(i, j);
  }

  [Symbol.dispose](): void {
    this.#blocks[Symbol.dispose]();
  }
}

/** Blocks of tensors in a memory of their own, and what multiplies them there. */
class Blocks implements Disposable {
  readonly #layout: ProductsLayout;
  readonly #memory: BorrowedMemory;

  constructor(layout: ProductsLayout, each: "block" | "element") {
    this.#layout = layout;
    const name = `products of each ${each} ${JSON.stringify(layout)}`;
    this.#memory = new BorrowedMemory({ name, assembled: () => productsModule(layout, each) }, layout.bytes);
    this.clear();
  }

  run(tensors: readonly Uint8Array[], first: number, count: number, sum: number): void {
    const { bytes: memory, run: multiply } = this.#memory;
    // Zeros add nothing.
    const end = Math.ceil(count / LANES) * LANES;
    for (const [i, bytes] of tensors.entries()) {
      const { dtype, address } = this.#layout.inputs[i]!;
      const size = bytesPerElement[dtype];
      memory.set(bytes.subarray(first * size, (first + count) * size), address);
      memory.fill(0, address + count * size, address + end * size);
    }
    multiply(2 * end, sum * Float64Array.BYTES_PER_ELEMENT);
  }

  sums(i: number, j: number): Float64Array {
    const { sums, stride } = this.#layout;
    return new Float64Array(
      this.#memory.bytes.buffer,
      sums + pairAt(i, j) * stride,
      stride / Float64Array.BYTES_PER_ELEMENT,
    );
  }

  clear(): void {
    this.#memory.bytes.fill(0, this.#layout.sums, this.#layout.bytes);
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}
