import type { Pointer } from "./library.ts";

/** Smaller ones cost less to ask for anew than to look for. */
const LEAST_BYTES = 2 ** 20;

/**
 * Memory of tensors that were freed, for others of the same size. A system gives new memory page by page, as it is first written
 * to, which takes as long as to hash what is written there; a GPU's driver may wait for all work first.
 */
export class SpareBuffers {
  readonly #free: (buffer: Pointer) => void;
  /** By their size, those that were spared last behind the others. */
  readonly #buffers: { readonly bytes: number; readonly buffer: Pointer }[] = [];
  #bytes = 0;

  constructor(free: (buffer: Pointer) => void) {
    this.#free = free;
  }

  get bytes(): number {
    return this.#bytes;
  }

  put(buffer: Pointer, bytes: number): void {
    if (bytes < LEAST_BYTES) return this.#free(buffer);
    this.#buffers.push({ bytes, buffer });
    this.#bytes += bytes;
  }

  /** One of exactly that size. */
  take(bytes: number): Pointer {
    const place = this.#buffers.findLastIndex((spare) => spare.bytes === bytes);
    if (place < 0) return undefined;
    this.#bytes -= bytes;
    return this.#buffers.splice(place, 1)[0]?.buffer;
  }

  /** Gives back those that were spared first, until there are at most so many bytes. */
  shrinkTo(most: number): void {
    while (this.#bytes > Math.max(0, most)) {
      const { bytes = 0, buffer } = this.#buffers.shift() ?? {};
      this.#bytes -= bytes;
      this.#free(buffer);
    }
  }
}
