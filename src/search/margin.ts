import { upperQuantile, upperTail } from "../tensor/normal.ts";
import { intoUnitCube, outOfUnitCube } from "./bounds.ts";
import { middleOf, partOf } from "./levels.ts";

/** A coordinate of an evolution strategy as it is seen from its search distribution. */
interface Marginal {
  readonly mean: number;
  readonly deviation: number;
}

/**
 * The map between the points that an evolution strategy samples and those of a unit cube of which some coordinates have a few
 * values only, equal parts of the unit interval. A distribution that has contracted around one of these would never leave it
 * again; the margin of CMA-ES with margin (Hamano et al. 2022, arXiv:2205.13482) moves and stretches such coordinates so that other
 * values keep a probability. The paper changes mean and scale of the distribution; here the map does, and the strategy, which
 * sees ranks alone, need not know.
 */
export class Margin {
  /** Values of each coordinate; 0 where it has any. */
  readonly #levels: readonly number[];
  readonly #offsets: Float64Array;
  readonly #factors: Float64Array;
  /** The probability that is kept to either side of a mean, half of it to each where there are two. */
  readonly #probability: number;

  constructor(levels: readonly number[], populationSize: number) {
    this.#levels = levels;
    this.#offsets = new Float64Array(levels.length);
    this.#factors = new Float64Array(levels.length).fill(1);
    this.#probability = 1 / (levels.length * populationSize);
  }

  /** The point of the unit cube that a sample stands for: of a coordinate with levels the middle of a part. */
  into(sample: Float64Array): Float64Array {
    const point = intoUnitCube(sample);
    for (const [j, levels] of this.#levels.entries()) {
      if (levels > 0) point[j] = middleOf(partOf(this.#seen(j, sample[j]!), levels), levels);
    }
    return point;
  }

  /** A sample that stands for the point. */
  outOf(point: Float64Array): Float64Array {
    const sample = outOfUnitCube(point);
    for (const [j, levels] of this.#levels.entries()) {
      if (levels > 0) sample[j] = (middleOf(partOf(point[j]!, levels), levels) - this.#offsets[j]!) / this.#factors[j]!;
    }
    return sample;
  }

  /** Keeps the margin around the distribution of the next samples. */
  correct(mean: Float64Array, deviations: Float64Array): void {
    for (const [j, levels] of this.#levels.entries()) {
      if (levels < 2) continue;
      const own = { mean: this.#seen(j, mean[j]!), deviation: this.#factors[j]! * deviations[j]! };
      const corrected = this.#corrected(own, levels);
      const factor = corrected.deviation / deviations[j]!;
      this.#factors[j] = factor;
      this.#offsets[j] = corrected.mean - factor * mean[j]!;
    }
  }

  #seen(j: number, value: number): number {
    return this.#offsets[j]! + this.#factors[j]! * value;
  }

  #corrected({ mean, deviation }: Marginal, levels: number): Marginal {
    const part = partOf(mean, levels);
    const [low, high] = [part / levels, (part + 1) / levels];
    if (part > 0 && part < levels - 1) return this.#between({ mean, deviation }, low, high);
    // At an end of the range there is one side to go to.
    const farthest = deviation * upperQuantile(this.#probability);
    return { mean: part === 0 ? Math.max(mean, high - farthest) : Math.min(mean, low + farthest), deviation };
  }

  /** Where there are values on both sides, the scale is changed too. */
  #between(own: Marginal, low: number, high: number): Marginal {
    const { mean, deviation } = own;
    const least = this.#probability / 2;
    const found = [upperTail((mean - low) / deviation), upperTail((high - mean) / deviation)] as const;
    if (found.every((tail) => tail >= least)) return own;
    const raised = found.map((tail) => Math.max(tail, least));
    const inside = 1 - found[0] - found[1];
    const [below = 0, above = 0] = raised;
    // What the tails gained is taken from all three, as far as these have more than the least.
    const excess = (1 - below - above - inside) / (below + above + inside - 3 * least);
    const [toLow = 0, toHigh = 0] = raised.map((tail) => upperQuantile(tail + excess * (tail - least)));
    return { mean: (low * toHigh + high * toLow) / (toLow + toHigh), deviation: (high - low) / (toLow + toHigh) };
  }
}
