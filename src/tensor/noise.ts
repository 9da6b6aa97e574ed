import { setImmediate } from "node:timers/promises";

/** Elements after which the event loop gets its turn. */
const PIECE = 2 ** 22;

/**
 * Uniform numbers in [0, 1), multiples of 2^-24, that depend on two keys of 32 bits and their index alone: each comes of its
 * counter (Salmon et al. 2011, doi:10.1145/2063384.2063405), here by the finalizer of MurmurHash3 under either key.
 */
export async function noiseOf(first: number, second: number, count: number): Promise<Float32Array> {
  const values = new Float32Array(count);
  for (let start = 0; start < count; start += PIECE) {
    if (start > 0) await setImmediate();
    const end = Math.min(count, start + PIECE);
    for (let i = start; i < end; i += 1) {
      const counter = (Math.imul(i, 0x9e3779b1) + first) | 0;
      values[i] = (mixed((mixed(counter) + second) | 0) >>> 8) * 2 ** -24;
    }
  }
  return values;
}

function mixed(x: number): number {
  let y = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  y = Math.imul(y ^ (y >>> 13), 0xc2b2ae35);
  return y ^ (y >>> 16);
}
