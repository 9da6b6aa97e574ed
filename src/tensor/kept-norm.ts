import type { StoredValues } from "./stored-values.ts";
import { eachPiece } from "./magnitudes.ts";

/**
 * How often the sum of the magnitudes |x - base| of a range, both ends included, goes into that of all: what is left of a
 * difference keeps its L1 norm by that factor. 1 where there is nothing in the range. Sums are those of doubles in the order of
 * the elements. Some 6 CPU-nanoseconds an element.
 */
export async function keptGain(
  base: StoredValues,
  x: StoredValues,
  [least, most]: readonly [number, number],
): Promise<number> {
  const sums = { all: 0, kept: 0 };
  await eachPiece(base, x, (bits) => {
    const differences = new Float32Array(bits.buffer, bits.byteOffset, bits.length);
    let { all, kept } = sums;
    // An iterator takes three times as long.
    for (let i = 0; i < differences.length; i += 1) {
      const magnitude = Math.abs(differences[i] ?? Number.NaN);
      all += magnitude;
      if (magnitude >= least && magnitude <= most) kept += magnitude;
    }
    Object.assign(sums, { all, kept });
  });
  const { all, kept } = sums;
  return kept > 0 ? all / kept : 1;
}
