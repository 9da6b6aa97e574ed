import type { Pointer } from "./library.ts";

/** Memory of the device for one tensor. */
export interface TensorBuffer {
  readonly buffer: Pointer;
  /** Its address. */
  readonly start: bigint;
  readonly bytes: number;
  /** The same memory for JavaScript, once that was asked for: V8 collects garbage for every few of these that are made. */
  view?: ArrayBuffer;
}

/** Of a host: smaller ones cost less to ask for anew than to look for. A GPU's driver takes as long over any. */
const LEAST_BYTES = { cpu: 2 ** 20, gpu: 1 } as const;

/** On a GPU, smaller buffers have sizes in steps of at most an eighth: keys and values of texts grow with each token. */
const LEAST_EXACT_BYTES = 2 ** 24;
const [STEP_BITS, LEAST_STEP] = [3, 256];

/**
 * Memory of tensors that were freed, for others of the same size. A system gives new memory page by page, as it is first written
 * to, which takes as long as to hash what is written there; a GPU's driver may wait for all work first.
 */
export class SpareBuffers {
  readonly #free: (buffer: Pointer) => void;
  readonly #leastBytes: number;
  readonly #isHost: boolean;
  /** By their size, those that were spared last behind the others. */
  readonly #buffers: TensorBuffer[] = [];
  #bytes = 0;

  constructor(kind: keyof typeof LEAST_BYTES, free: (buffer: Pointer) => void) {
    this.#free = free;
    this.#leastBytes = LEAST_BYTES[kind];
    this.#isHost = kind === "cpu";
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** How large a buffer for so many bytes is to be, so that it suits others later. */
  sizeFor(bytes: number): number {
    if (this.#isHost || bytes === 0 || bytes >= LEAST_EXACT_BYTES) return bytes;
    const step = Math.max(LEAST_STEP, 2 ** (Math.floor(Math.log2(bytes)) - STEP_BITS));
    return step * Math.ceil(bytes / step);
  }

  put(spare: TensorBuffer): void {
    if (spare.bytes < this.#leastBytes) return this.#free(spare.buffer);
    this.#buffers.push(spare);
    this.#bytes += spare.bytes;
  }

  /** One of exactly that size. */
  take(bytes: number): TensorBuffer | undefined {
    const place = this.#buffers.findLastIndex((spare) => spare.bytes === bytes);
    if (place < 0) return undefined;
    this.#bytes -= bytes;
    return this.#buffers.splice(place, 1)[0];
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
