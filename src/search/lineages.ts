import { expWithinOne } from "../tensor/elementary.ts";
import { RandomStream } from "../tensor/random.ts";
import { Adam } from "./adam.ts";
import { gradientOf, PendingGeneration } from "./generation.ts";
import { annealed, clipToUnit, downhill, halfway, ratesOf, Stillness } from "./gradient-step.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";

export const DEFAULT_LINEAGES = 4;
/** Standard deviation of the logarithm of a rate that is inherited. */
const RATE_SPREAD = 0.3;
/** Generations between two selections, so that a newcomer meets some rows before it may go. */
const SELECTION_INTERVAL = 3;
/** Parts of the population that give, and that make room for, what is new. */
const PARENTS = 1 / 2;
const REPLACED = 1 / 4;
/** Weight of the latest rows in a lineage's standing. */
const LATEST = 1 / 2;

/** A walker with moments and a rate of its own. */
interface Lineage {
  /** The last point that did not fail. */
  readonly safe: Float64Array;
  readonly next: Float64Array;
  readonly adam: Adam;
  /** Multiplies the rates of the search. */
  readonly rate: number;
  /** How much its losses lately were above the mean of their generations; infinite after a failure. */
  readonly standing: number;
}

/**
 * An evolution strategy whose mutation is a gradient step: lineages share the rows of a generation, and each goes downhill by
 * its own moments and rate. A loss is of a point that was made before its rows were met, so selection by it is honest: from
 * time to time the worst lineages make room for the mean of the best ones, moments included, moved by a step of noise. Rates are
 * inherited with log-normal noise, as in self-adaptive evolution strategies. Where a point fails, half the step to it is
 * tried. It recommends the lineage of the best standing, which is the reference.
 */
export class Lineages implements Optimizer {
  readonly #rates: Float64Array;
  readonly #random: RandomStream;
  readonly #pending = new PendingGeneration<Lineage>();
  readonly #stillness = new Stillness();
  #lineages: readonly Lineage[];
  #generation = 0;

  constructor(options: OptimizerOptions) {
    const { start, sigma, inject = [], populationSize = DEFAULT_LINEAGES } = options;
    const deviations = options.scales?.map((scale) => sigma * scale) ?? new Float64Array(start.length).fill(sigma);
    this.#rates = ratesOf(options);
    this.#random = RandomStream.of(options.seed, "lineages");
    this.#lineages = Array.from({ length: populationSize }, (_, i) => {
      const point = [start, ...inject][i]?.slice() ?? this.#near(start, deviations, 1);
      const rate = i === 0 ? 1 : this.#inherited(1);
      return { safe: point, next: point, adam: new Adam(start.length), rate, standing: 0 };
    });
  }

  get generation(): number {
    return this.#generation;
  }

  get candidates(): number {
    return this.#lineages.length;
  }

  get converged(): boolean {
    return this.#stillness.lasts;
  }

  get isStuck(): boolean {
    return this.#stillness.isStuck;
  }

  get #best(): Lineage {
    return this.#lineages.reduce((best, other) => (other.standing < best.standing ? other : best));
  }

  recommend(): Float64Array {
    return this.#best.safe.slice();
  }

  ask(): readonly Candidate[] {
    const best = this.#best;
    return this.#pending
      .open(() => this.#lineages)
      .map((lineage) => ({
        point: lineage.next.slice(),
        wantsGradient: true,
        isReference: lineage === best,
      }));
  }

  tell(scores: readonly Score[], spent: number): void {
    const asked = this.#pending.close(scores);
    this.#generation++;
    const gradients = scores.map(gradientOf);
    const losses = scores.map(({ loss }, i) => (gradients[i] ? loss : Number.NaN)).filter(Number.isFinite);
    const level = losses.reduce((sum, loss) => sum + loss, 0) / losses.length;
    const factor = annealed(spent);
    this.#lineages = asked.map((lineage, i) => {
      const gradient = gradients[i];
      if (gradient) return this.#stepped(lineage, gradient, factor, scores[i]!.loss - level);
      const next = halfway(lineage.safe, lineage.next);
      return { ...lineage, next, standing: losses.length > 0 ? Infinity : lineage.standing };
    });
    if (this.#generation % SELECTION_INTERVAL === 0 && losses.length > 0) this.#select(factor);
    const { safe } = this.#best;
    this.#stillness.meet(
      this.#lineages.map(({ next }) => [safe, next]),
      this.#rates,
      losses.length === 0,
    );
  }

  #stepped(lineage: Lineage, gradient: Float64Array, factor: number, excess: number): Lineage {
    const { next, adam, standing } = lineage;
    return {
      ...lineage,
      safe: next,
      next: downhill(next, adam.direction(gradient), this.#rates, lineage.rate * factor),
      standing: Number.isFinite(standing) ? standing + LATEST * (excess - standing) : excess,
    };
  }

  /** The worst make room for children of the best. */
  #select(factor: number): void {
    const ranked = this.#lineages.toSorted((a, b) => a.standing - b.standing);
    const parents = ranked.slice(0, Math.ceil(ranked.length * PARENTS)).filter((one) => Number.isFinite(one.standing));
    const leaving = new Set(ranked.slice(-Math.max(1, Math.floor(ranked.length * REPLACED))));
    this.#lineages = this.#lineages.map((lineage) => (leaving.has(lineage) ? this.#childOf(parents, factor) : lineage));
  }

  #childOf(parents: readonly Lineage[], factor: number): Lineage {
    const [best, ...others] = parents as readonly [Lineage, ...Lineage[]];
    const rate = this.#inherited(mean(parents.map((parent) => parent.rate)));
    const center = best.next.map((_, j) => mean(parents.map(({ next }) => next[j]!)));
    return {
      ...best,
      next: this.#near(center, this.#rates, rate * factor),
      adam: Adam.mean([best.adam, ...others.map(({ adam }) => adam)]),
      rate,
      standing: mean(parents.map(({ standing }) => standing)),
    };
  }

  #near(center: Float64Array, deviations: Float64Array, factor: number): Float64Array {
    return center.map((value, j) => clipToUnit(value + factor * deviations[j]! * this.#random.normal()));
  }

  #inherited(rate: number): number {
    return rate * expWithinOne(Math.min(1, Math.max(-1, RATE_SPREAD * this.#random.normal())));
  }
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
