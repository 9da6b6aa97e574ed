import { setImmediate } from "node:timers/promises";
import { bytesPerElement } from "./dtype.ts";
import { copyElements, elementsOf, type StoredValues } from "./stored-values.ts";
import { toFloat32 } from "./half.ts";

/** Elements after which the event loop gets its turn. */
const PIECE = 2 ** 20;

/** Elements that a row may have: their indices are digits of a double, below the 31 bits of a magnitude. */
const WIDEST = 2 ** 22;

/**
 * Where each element stands in its row by the magnitude |x - base|: f32 from 0, the least, to 1, the largest; of equal ones
 * the earlier is less. In a row of one it is 1/2. Some 100 CPU-nanoseconds an element.
 */
export async function rowRanksOf(base: StoredValues, x: StoredValues, width: number): Promise<Float32Array> {
  if (width > WIDEST) throw new Error(`ranks: expected rows of at most ${WIDEST} elements, found ${width}`);
  const ranks = new Float32Array(elementsOf(x));
  const keys = new Float64Array(width);
  const share = Math.fround(1 / Math.max(1, width - 1));
  for (let start = 0, since = 0; start < ranks.length; start += width, since += width) {
    if (since >= PIECE) {
      since = 0;
      await setImmediate();
    }
    const [from, own] = [rowOf(base, start, width), rowOf(x, start, width)];
    for (let i = 0; i < width; i += 1) own[i] = Math.abs(own[i]! - from[i]!);
    // The bits of magnitudes are in their order.
    const bits = new Uint32Array(own.buffer);
    for (let i = 0; i < width; i += 1) keys[i] = bits[i]! * WIDEST + i;
    keys.sort();
    for (let rank = 0; rank < width; rank += 1) ranks[start + (keys[rank]! % WIDEST)] = width > 1 ? rank * share : 0.5;
  }
  return ranks;
}

function rowOf(values: StoredValues, start: number, width: number): Float32Array {
  const row = new Uint8Array(width * bytesPerElement[values.dtype]);
  copyElements(values, start, row);
  return toFloat32(row, values.dtype);
}
