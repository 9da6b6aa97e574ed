import { createHash } from "node:crypto";
import { ln } from "./elementary.ts";

/** A named stream of random numbers: the same seed and path give the same numbers on every machine. */
export class RandomStream {
  readonly #state: Uint32Array;
  #spareNormal: number | undefined;

  private constructor(state: Uint32Array) {
    this.#state = state;
  }

  /**
   * The stream of `path` under `seed`; streams of different paths are independent, so a new consumer of randomness
   * never shifts the numbers of another. Path parts that differ only in type (1 and "1") are different parts.
   */
  static of(seed: number, ...path: readonly (string | number)[]): RandomStream {
    const digest = createHash("sha256")
      .update(JSON.stringify([seed, ...path]))
      .digest();
    return new RandomStream(Uint32Array.from([0, 4, 8, 12], (offset) => digest.readUInt32LE(offset)));
  }

  /** Uniform in [0, 1), a multiple of 2^-53. */
  uniform(): number {
    const high = xoshiro128StarStar(this.#state) >>> 5;
    const low = xoshiro128StarStar(this.#state) >>> 6;
    return (high * 0x400_0000 + low) / 0x20_0000_0000_0000;
  }

  /** Standard normal, by the polar method (Marsaglia & Bray 1964), which needs no trigonometric function. */
  normal(): number {
    const spare = this.#spareNormal;
    if (spare !== undefined) {
      this.#spareNormal = undefined;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const square = u * u + v * v;
      if (square > 0 && square < 1) {
        const scale = Math.sqrt((-2 * ln(square)) / square);
        this.#spareNormal = v * scale;
        return u * scale;
      }
    }
  }

  /** Uniform in {0, ..., n - 1}; the bias is below n / 2^53. */
  integer(n: number): number {
    return Math.floor(this.uniform() * n);
  }

  /** All items in random order, as a new array. */
  shuffle<T>(items: readonly T[]): T[] {
    return this.sample(items, items.length);
  }

  /** `k` different items in random order (the first k steps of Fisher-Yates); throws when there are fewer. */
  sample<T>(items: readonly T[], k: number): T[] {
    if (k > items.length) throw new Error(`Cannot sample ${k} of ${items.length} items`);
    const pool = [...items];
    for (let i = 0; i < k; i++) {
      const j = i + this.integer(pool.length - i);
      [pool[i], pool[j]] = [pool[j]!, pool[i]!];
    }
    return pool.slice(0, k);
  }
}

/**
 * The next 32 bits of xoshiro128** 1.1 (Blackman & Vigna, "Scrambled linear pseudorandom number generators", 2021);
 * advances the four words of `state`, which must not all be zero.
 */
export function xoshiro128StarStar(state: Uint32Array): number {
  const s0 = state[0]!;
  const s1 = state[1]!;
  const s2 = state[2]!;
  const s3 = state[3]!;
  const t2 = s2 ^ s0;
  const t3 = s3 ^ s1;
  state[0] = s0 ^ t3;
  state[1] = s1 ^ t2;
  state[2] = t2 ^ (s1 << 9);
  state[3] = rotateLeft(t3, 11);
  return Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
}

function rotateLeft(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}
