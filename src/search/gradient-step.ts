/** The part of the first steps' length that the last ones have. */
const LAST_PART = 1 / 20;

/** The part of a coordinate's rate below which a step is none. */
const STILL_PART = 1 / 100;

/** Generations without a step after which none is expected: on other rows a gradient may point elsewhere, and momentum passes 0. */
const STILL_GENERATIONS = 10;

/** 0.1 of a range of 1.5. */
const DEFAULT_RATE = 1 / 15;

/** The length of a coordinate's steps by gradient at the beginning of a search, as a part of its range. */
export function ratesOf({
  rates,
  start,
}: {
  readonly rates?: Float64Array;
  readonly start: Float64Array;
}): Float64Array {
  return rates?.slice() ?? new Float64Array(start.length).fill(DEFAULT_RATE);
}

/** What multiplies the rates where that part of a search is spent: it falls on a straight line. */
export function annealed(spent: number): number {
  return 1 - (1 - LAST_PART) * clipToUnit(spent);
}

/**
 * The point at `factor` times the rates downhill of another, both in the unit cube. It is clipped at the bounds, not
 * reflected: merges are often best at a bound, where a reflected walk would not stay.
 */
export function downhill(
  point: Float64Array,
  direction: Float64Array,
  rates: Float64Array,
  factor: number,
): Float64Array {
  return point.map((value, j) => clipToUnit(value - factor * rates[j]! * direction[j]!));
}

export function clipToUnit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

export function halfway(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, j) => (value + b[j]!) / 2);
}

/** How a search by gradient stands: whether it moves, and whether it can. Rates count as they are at first, whatever is spent. */
export class Stillness {
  /** In a row, up to the last one, that have not moved. */
  #generations = 0;
  #hasSucceeded = false;
  #hasFailed = false;

  get lasts(): boolean {
    return this.#generations >= STILL_GENERATIONS;
  }

  /** Whether all failed, next to where the search is or where it begins: it would ask for the same again. */
  get isStuck(): boolean {
    return this.#hasFailed && (this.lasts || !this.#hasSucceeded);
  }

  /** Takes in how far a generation moves at most, by pairs of points, and whether all of its candidates failed. */
  meet(
    steps: readonly (readonly [from: Float64Array, to: Float64Array])[],
    rates: Float64Array,
    hasFailed: boolean,
  ): void {
    const isStill = steps.every(([from, to]) =>
      to.every((value, j) => Math.abs(value - from[j]!) < STILL_PART * rates[j]!),
    );
    this.#generations = isStill ? this.#generations + 1 : 0;
    this.#hasFailed = hasFailed;
    this.#hasSucceeded ||= !hasFailed;
  }
}
