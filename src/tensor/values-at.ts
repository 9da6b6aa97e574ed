/** Which of some magnitudes stand at which places when all stand in order. */

/** Magnitudes whose upper halves are equal, of which there are 2^15: f32 bits without their sign are in order. */
const BINS = 2 ** 15;
/** Which of the two halves of a number in memory is which: numbers of files are read where the lower comes first. */
const [LOWER, UPPER] = [0, 1];
/** Fewer of a bin are sorted; more are counted. */
const COUNTED = 2 ** 14;

/** Shows all values of a tensor as the bits of f32, piece by piece. */
type Showing = (see: (bits: Uint32Array) => void) => Promise<void>;

/**
 * The magnitudes of some f32 that stand at the given places, ascending, when all stand in ascending order. Exact: a histogram
 * by the upper halves of the bits tells the bins of the places, and the lower halves of these alone are looked at.
 */
export async function valuesAt(show: Showing, places: readonly number[]): Promise<Float32Array> {
  const ends = await countBins(show);
  for (let bin = 1; bin < BINS; bin += 1) ends[bin]! += ends[bin - 1]!;
  const wanted = wantedBins(ends, places);
  const lower = await gather(show, wanted);
  const bits = new Uint32Array(places.length);
  for (const { bin, first, asked } of wanted.list) {
    const own = lower.subarray(wanted.starts[bin], wanted.starts[bin]! + ends[bin]! - first);
    const found = select(
      own,
      asked.map((i) => places[i]! - first),
    );
    for (const [k, i] of asked.entries()) bits[i] = bin * 2 ** 16 + found[k]!;
  }
  return new Float32Array(bits.buffer);
}

/** A bin that has a place: how many magnitudes are below it, and which of the places. */
interface Wanted {
  readonly bin: number;
  readonly first: number;
  readonly asked: number[];
}

interface WantedBins {
  readonly list: readonly Wanted[];
  /** By bin, where its lower halves begin among those that are gathered; -1 where they are not. */
  readonly starts: Float64Array;
  readonly count: number;
}

function wantedBins(ends: Float64Array, places: readonly number[]): WantedBins {
  const list: Wanted[] = [];
  const starts = new Float64Array(BINS).fill(-1);
  let [bin, count] = [0, 0];
  for (const [i, place] of places.entries()) {
    while (bin < BINS - 1 && ends[bin]! <= place) bin += 1;
    if (list.at(-1)?.bin !== bin) {
      const first = bin === 0 ? 0 : ends[bin - 1]!;
      list.push({ bin, first, asked: [] });
      starts[bin] = count;
      count += ends[bin]! - first;
    }
    list.at(-1)!.asked.push(i);
  }
  return { list, starts, count };
}

async function countBins(show: Showing): Promise<Float64Array> {
  const counts = new Float64Array(BINS);
  await show((bits) => {
    const halves = halvesOf(bits);
    for (let i = UPPER; i < halves.length; i += 2) counts[halves[i]! & 0x7fff]! += 1;
  });
  return counts;
}

/** The lower halves of the magnitudes in the wanted bins, bin by bin. */
async function gather(show: Showing, { starts, count }: WantedBins): Promise<Uint16Array> {
  const lower = new Uint16Array(count);
  const next = Float64Array.from(starts);
  await show((bits) => {
    const halves = halvesOf(bits);
    for (let i = UPPER; i < halves.length; i += 2) {
      const bin = halves[i]! & 0x7fff;
      const at = next[bin]!;
      if (at < 0) continue;
      lower[at] = halves[i + LOWER - UPPER]!;
      next[bin] = at + 1;
    }
  });
  return lower;
}

/** Both halves of each number: half as much is read. */
function halvesOf({ buffer, byteOffset, length }: Uint32Array): Uint16Array {
  return new Uint16Array(buffer, byteOffset, 2 * length);
}

/** Those that stand at the given places when they are in order. */
function select(values: Uint16Array, places: readonly number[]): number[] {
  if (values.length < COUNTED) {
    values.sort();
    return places.map((place) => values[place]!);
  }
  const counts = new Uint32Array(2 ** 16);
  for (let i = 0; i < values.length; i += 1) counts[values[i]!]! += 1;
  let [value, below] = [0, 0];
  return places.map((place) => {
    while (below + counts[value]! <= place) below += counts[value++]!;
    return value;
  });
}
