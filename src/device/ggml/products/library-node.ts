import type { NativeWork } from "../c-functions.ts";
import type { Pointer } from "../library.ts";

/** What computes a node, given where its operands and its result lie. */
export type WorksAt = (operands: readonly bigint[], result: bigint) => readonly NativeWork[];

/** A node of a graph that a library computes in the place of ggml. */
export class LibraryNode {
  readonly #nodes: readonly Pointer[];
  readonly #worksAt: WorksAt;
  #addresses: readonly bigint[] = [];
  #works: readonly NativeWork[] = [];

  constructor(node: Pointer, operands: readonly Pointer[], worksAt: WorksAt) {
    this.#nodes = [node, ...operands];
    this.#worksAt = worksAt;
  }

  /** The same as before, where nothing was moved since. */
  works(dataOf: (node: Pointer) => bigint): readonly NativeWork[] {
    const addresses = this.#nodes.map(dataOf);
    if (!addresses.every((address, i) => address === this.#addresses[i])) {
      this.free();
      const [result = 0n, ...operands] = addresses;
      this.#works = this.#worksAt(operands, result);
      this.#addresses = addresses;
    }
    return this.#works;
  }

  free(): void {
    for (const { free } of this.#works) free?.();
    this.#works = [];
    this.#addresses = [];
  }
}
