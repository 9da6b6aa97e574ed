/** Which elements of a tensor change much from those of another, in rows that change much as distributions. */
import { rowDivergences } from "./divergence.ts";
import type { StoredValues } from "./stored-values.ts";
import { toFloat32 } from "./half.ts";
import { valuesAt } from "./values-at.ts";

const QUARTILES = [0.25, 0.5, 0.75];

/**
 * 1 where an element of x matters, else 0: where |x - base| times the divergence of its row of that width, in parts of that of the row that diverges most, is
 * at least the median and so many times the range between the quartiles. These are of all elements, and exact.
 */
export async function importantElements(
  base: StoredValues,
  x: StoredValues,
  { width, ranges }: { readonly width: number; readonly ranges: number },
): Promise<Float32Array> {
  const values = importances(base, x, await rowParts(base, x, width));
  const places = QUARTILES.map((part) => Math.floor(part * (values.length - 1)));
  const bits = new Uint32Array(values.buffer);
  const quartiles = await valuesAt((see) => Promise.resolve(see(bits)), places);
  const least = quartiles[1]! + ranges * (quartiles[2]! - quartiles[0]!);
  for (let i = 0; i < values.length; i += 1) values[i] = values[i]! >= least ? 1 : 0;
  return values;
}

/** Divergences of the rows, as parts of the largest, so that no product of small numbers is lost. */
async function rowParts(base: StoredValues, x: StoredValues, width: number): Promise<Float32Array> {
  const found = await rowDivergences(base, x, width);
  const most = found.reduce((largest, value) => Math.max(largest, value), 0);
  return Float32Array.from(found, (value) => (most > 0 ? value / most : 0));
}

function importances(base: StoredValues, x: StoredValues, parts: Float32Array): Float32Array {
  const from = toFloat32(base.bytes, base.dtype);
  const values = toFloat32(x.bytes, x.dtype);
  const width = values.length / parts.length;
  for (let row = 0; row < parts.length; row += 1) {
    for (let i = row * width; i < (row + 1) * width; i += 1)
      values[i] = Math.fround(Math.abs(Math.fround(values[i]! - from[i]!))) * parts[row]!;
  }
  return values;
}
