import { bytesPerElement, type Dtype } from "../dtype.ts";
import { copyElements, type StoredValues } from "../stored-values.ts";
import { BorrowedMemory } from "./borrowed-memory.ts";
import {
  COUNT_BLOCK,
  BLOCKS,
  COUNTS,
  FROM,
  laneMoves,
  MOVES,
  OTHER,
  RANGE_GROUP,
  rangeCounts,
} from "./range-counts-code.ts";

/** How often each of the magnitudes |x - y| of two tensors is there that lie in a range, and how many are below it. */
export class RangeCounts implements Disposable {
  readonly #low: number;
  readonly #sizes: readonly [number, number];
  readonly #memory: BorrowedMemory;
  readonly #blocks: Uint32Array;
  /** By the bits of f32, from the lowest on. */
  readonly counts: Uint32Array;
  below = 0;

  /** The bits of f32 of the range's lowest magnitude, and how many follow it with it: WIDEST at most. */
  constructor(x: Dtype, y: Dtype, low: number, width: number) {
    this.#low = low;
    this.#sizes = [bytesPerElement[x], bytesPerElement[y]];
    this.#memory = new BorrowedMemory(rangeCounts(x, y), COUNTS + 4 * width);
    const { bytes } = this.#memory;
    bytes.set(laneMoves, MOVES);
    this.#blocks = new Uint32Array(bytes.buffer, BLOCKS, Math.ceil(width / COUNT_BLOCK)).fill(0);
    this.counts = new Uint32Array(bytes.buffer, COUNTS, width).fill(0);
  }

  /** Adds so many elements, a piece at most, from one on. */
  add(x: StoredValues, y: StoredValues, first: number, count: number): void {
    const { bytes, run } = this.#memory;
    const whole = Math.ceil(count / RANGE_GROUP) * RANGE_GROUP;
    for (const [to, values, size] of [
      [FROM, x, this.#sizes[0]],
      [OTHER, y, this.#sizes[1]],
    ] as const) {
      copyElements(values, first, bytes.subarray(to, to + count * size));
      bytes.fill(0, to + count * size, to + whole * size);
    }
    this.below += run(whole, this.#low, this.#low + this.counts.length);
    // What was added to a group are zeros.
    const zeros = whole - count;
    if (this.#low > 0) this.below -= zeros;
    else for (const counted of [this.counts, this.#blocks]) counted[0]! -= zeros;
  }

  /** The bits of the magnitude that stands at a place when all are in ascending order; undefined where it is not in the range. */
  at(place: number): number | undefined {
    const blocks = this.#blocks;
    let [block, before] = [0, this.below];
    if (place < before) return undefined;
    for (; block < blocks.length && before + blocks[block]! <= place; block += 1) before += blocks[block]!;
    for (let i = block * COUNT_BLOCK; i < this.counts.length; i += 1) {
      before += this.counts[i]!;
      if (before > place) return this.#low + i;
    }
    return undefined;
  }

  [Symbol.dispose](): void {
    this.#memory[Symbol.dispose]();
  }
}
