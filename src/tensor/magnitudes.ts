/** How large the differences of a tensor from another are, in order: what a density trims is told by one of them. */
import { setImmediate } from "node:timers/promises";
import { elementsOf, type StoredValues } from "./stored-values.ts";
import { oneMagnitude } from "./one-magnitude.ts";
import { valuesAt } from "./values-at.ts";
import { Differences, DIFFERENCES } from "./wasm/differences.ts";

/** Pieces after which the event loop gets its turn. */
const PIECES = 64;
/** So many are looked for one by one. */
const FEW = 2;

/**
 * The magnitudes |x - base|, each difference rounded to f32, that stand at the given places when all stand in ascending
 * order, the least at 0. Places ascend. Some 4 to 10 CPU-nanoseconds an element, whatever the places, and less where they are few.
 */
export async function magnitudesAt(
  base: StoredValues,
  x: StoredValues,
  places: readonly number[],
): Promise<Float32Array> {
  if (places.length > FEW) return valuesAt((see) => eachPiece(base, x, see), places);
  const found: (number | undefined)[] = [];
  for (const place of places) found.push(await oneMagnitude(base, x, place));
  const known = found.filter((value) => value !== undefined);
  return known.length === places.length ? Float32Array.from(known) : valuesAt((see) => eachPiece(base, x, see), places);
}

/** The bits of the differences, piece by piece. */
export async function eachPiece(base: StoredValues, x: StoredValues, see: (bits: Uint32Array) => void): Promise<void> {
  const count = elementsOf(base);
  using differences = new Differences(x.dtype, base.dtype);
  for (let start = 0, piece = 1; start < count; start += DIFFERENCES, piece += 1) {
    if (piece % PIECES === 0) await setImmediate();
    see(differences.of(x, base, start, Math.min(DIFFERENCES, count - start)));
  }
}
