import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import type { Checkpoint } from "./checkpoint.ts";

/** Where a tensor is looked at first: its beginning, its middle and its end. */
const SAMPLES = [0, 0.5, 1];
const SAMPLE_BYTES = 2 ** 12;

/**
 * Whether two checkpoints of one architecture hold the same bytes in every tensor that both have. A difference is mostly
 * found in samples, at the cost of some small reads a tensor; only where they are all equal is everything read. Rejects with
 * the reason of an aborted signal.
 */
export async function haveSameWeights(a: Checkpoint, b: Checkpoint, signal?: AbortSignal): Promise<boolean> {
  const shared = [...a.tensors.values()].filter(({ name }) => b.tensors.has(name));
  for (const { name, dtype, shape } of shared) {
    const other = b.tensors.get(name);
    if (other?.dtype !== dtype || !isDeepStrictEqual(other.shape, shape)) return false;
  }
  for (const { name, bytes } of shared) {
    signal?.throwIfAborted();
    for (const share of SAMPLES) {
      const length = Math.min(SAMPLE_BYTES, bytes);
      const start = Math.floor(share * (bytes - length));
      if (!areEqual(await a.peek(name, start, length), await b.peek(name, start, length))) return false;
    }
  }
  for (const { name } of shared) {
    signal?.throwIfAborted();
    if (!areEqual(await a.read(name), await b.read(name))) return false;
  }
  return true;
}

function areEqual(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
