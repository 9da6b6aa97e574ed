/** One of the magnitudes of a tensor's differences from another by its place, in one pass over them. */
import { setImmediate } from "node:timers/promises";
import { elementsOf, type StoredValues } from "./stored-values.ts";
import { valuesAt } from "./values-at.ts";
import { Differences } from "./wasm/differences.ts";
import { RANGE_PIECE, WIDEST } from "./wasm/range-counts-code.ts";
import { RangeCounts } from "./wasm/range-counts.ts";

/** Elements that are sampled, in runs of some: those of rows of one scale are alike. */
const [SAMPLED, RUN] = [2 ** 14, 2 ** 6];
/** Of fewer elements a sample would be most. */
const LEAST = 2 ** 18;
/** Standard deviations that a place in the sample is off at most, or other ways are taken. */
const DEVIATIONS = 4;
/** The bits of infinity; those of NaN are more. */
const INFINITY = 0x7f80_0000;
/** Pieces after which the event loop gets its turn. */
const PIECES = 64;

/**
 * The magnitude |x - base|, rounded to f32, that stands at a place when all stand in ascending order. Exact: a sample tells
 * between which two it must lie, and those between are counted by their bits. Undefined where the sample cannot tell, as of
 * few elements, or told something wrong. Some 1 to 2 CPU-nanoseconds an element.
 */
export async function oneMagnitude(base: StoredValues, x: StoredValues, place: number): Promise<number | undefined> {
  const count = elementsOf(base);
  if (count < LEAST) return undefined;
  const share = place / count;
  const margin = DEVIATIONS * Math.sqrt(SAMPLED * share * (1 - share)) + 1;
  const ends = [Math.floor(share * SAMPLED - margin), Math.ceil(share * SAMPLED + margin)];
  if (ends.some((end) => end < 0 || end >= SAMPLED)) return undefined;
  const sample = sampleOf(base, x, count);
  const [low, high] = bitsOf(await valuesAt(async (see) => see(sample), ends));
  if (low === undefined || high === undefined || high >= INFINITY || high - low >= WIDEST) return undefined;
  using range = new RangeCounts(x.dtype, base.dtype, low, high - low + 1);
  for (let first = 0, piece = 1; first < count; first += RANGE_PIECE, piece += 1) {
    if (piece % PIECES === 0) await setImmediate();
    range.add(x, base, first, Math.min(RANGE_PIECE, count - first));
  }
  const found = range.at(place);
  return found === undefined ? undefined : new Float32Array(Uint32Array.of(found).buffer)[0];
}

function bitsOf(values: Float32Array): Uint32Array {
  return new Uint32Array(values.buffer);
}

/** Bits of differences, of runs in equal distances. */
function sampleOf(base: StoredValues, x: StoredValues, count: number): Uint32Array {
  using differences = new Differences(x.dtype, base.dtype);
  const sample = new Uint32Array(SAMPLED);
  const runs = SAMPLED / RUN;
  for (let run = 0; run < runs; run += 1) {
    const first = Math.floor((run * (count - RUN)) / (runs - 1));
    sample.set(differences.of(x, base, first, RUN), run * RUN);
  }
  return sample;
}
