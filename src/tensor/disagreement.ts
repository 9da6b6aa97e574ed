/** Where experts differ most in what they add to a tensor, and how much each of them adds there. */
import { setImmediate } from "node:timers/promises";
import { bytesPerElement } from "./dtype.ts";
import type { StoredValues } from "./stored-values.ts";
import { toFloat32 } from "./half.ts";
import { valuesAt } from "./values-at.ts";

/** The elements at which the variance of what the experts add is above a bound. */
export interface Disagreement {
  /** How many of the elements at which the experts differ were asked for. */
  readonly share: number;
  /** The bound, of f32; -1 where all elements are meant, also those at which the experts agree. */
  readonly above: number;
  /** Of each expert, the sum of the squares of what it adds at these elements. */
  readonly squares: readonly number[];
}

/** Elements that are widened at once. */
const PIECE = 2 ** 14;
/** Pieces after which the event loop gets its turn. */
const PIECES = 128;
/** Above all variances. */
const LARGEST = 2 ** 127 * (2 - 2 ** -23);

/**
 * For each of the given shares in (0, 1] the part of the elements with the largest variances: of those at which the experts differ at all that share, rounded
 * down, but one of them at least; where the least of them has equals, these too. Exact: variances are those that an engine computes in f32, the mean of squared
 * deviations from the mean. Some 30 CPU-nanoseconds an element for three experts, whatever the shares.
 */
export async function disagreementsOf(
  base: StoredValues,
  experts: readonly StoredValues[],
  shares: readonly number[],
): Promise<Disagreement[]> {
  const pieces = new Pieces(base, experts);
  const bounds = await boundsOf(pieces, shares);
  const ordered = Float64Array.from(new Set(bounds)).toSorted();
  const sums = experts.map(() => new Float64Array(ordered.length + 1));
  await pieces.each((variances, added) => {
    for (let k = 0; k < variances.length; k += 1) {
      const at = countBelow(ordered, variances[k]!);
      for (let i = 0; i < added.length; i += 1) sums[i]![at]! += added[i]![k]! ** 2;
    }
  });
  for (const own of sums) for (let at = own.length - 2; at >= 0; at -= 1) own[at]! += own[at + 1]!;
  return bounds.map((above, i) => {
    const at = ordered.indexOf(above) + 1;
    return { share: shares[i]!, above, squares: sums.map((own) => own[at]!) };
  });
}

/** The f32 just below the least variance that a share takes. */
async function boundsOf(pieces: Pieces, shares: readonly number[]): Promise<number[]> {
  let differing = 0;
  if (shares.some((share) => share < 1)) {
    await pieces.each((variances) => {
      for (let k = 0; k < variances.length; k += 1) if (variances[k]! > 0) differing += 1;
    });
  }
  const places = shares.map((share) => pieces.count - Math.max(1, Math.floor(share * differing)));
  const ascending = Array.from(new Set(places)).toSorted((x, y) => x - y);
  const found = differing > 0 ? await valuesAt((see) => pieces.each((own) => see(bitsOf(own))), ascending) : undefined;
  return shares.map((share, i) => {
    if (share >= 1) return -1;
    return found ? justBelow(found[ascending.indexOf(places[i]!)]!) : LARGEST;
  });
}

/** What the experts add to the base, and its variance among them, piece by piece. */
class Pieces {
  readonly count: number;
  readonly #base: StoredValues;
  readonly #experts: readonly StoredValues[];

  constructor(base: StoredValues, experts: readonly StoredValues[]) {
    this.#base = base;
    this.#experts = experts;
    this.count = base.bytes.length / bytesPerElement[base.dtype];
  }

  async each(see: (variances: Float32Array, added: readonly Float32Array[]) => void): Promise<void> {
    for (let start = 0, piece = 1; start < this.count; start += PIECE, piece += 1) {
      if (piece % PIECES === 0) await setImmediate();
      const from = valuesOf(this.#base, start);
      const added = this.#experts.map((expert) => valuesOf(expert, start));
      for (const own of added) for (let k = 0; k < own.length; k += 1) own[k]! -= from[k]!;
      see(variancesOf(added), added);
    }
  }
}

/** Rounded to f32 after each operation, and summed in the order of the experts. */
function variancesOf(added: readonly Float32Array[]): Float32Array {
  const part = Math.fround(1 / added.length);
  const { length } = added[0]!;
  const means = new Float32Array(length);
  const variances = new Float32Array(length);
  for (const own of added) for (let k = 0; k < length; k += 1) means[k]! += own[k]!;
  for (let k = 0; k < length; k += 1) means[k]! *= part;
  for (const own of added) {
    for (let k = 0; k < length; k += 1) {
      const deviation = Math.fround(own[k]! - means[k]!);
      variances[k]! += Math.fround(deviation * deviation);
    }
  }
  for (let k = 0; k < length; k += 1) variances[k]! *= part;
  return variances;
}

function valuesOf({ dtype, bytes }: StoredValues, start: number): Float32Array {
  const size = bytesPerElement[dtype];
  return toFloat32(bytes.subarray(start * size, (start + PIECE) * size), dtype);
}

/** How many of ascending bounds are below a value. */
function countBelow(bounds: Float64Array, value: number): number {
  let [low, high] = [0, bounds.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (bounds[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function bitsOf({ buffer, byteOffset, length }: Float32Array): Uint32Array {
  return new Uint32Array(buffer, byteOffset, length);
}

/** The next smaller f32 of a positive one. */
function justBelow(value: number): number {
  const one = Float32Array.of(value);
  bitsOf(one)[0]! -= 1;
  return one[0]!;
}
