import { RandomStream } from "../tensor/random.ts";
import { CmaEs, type CovarianceModel } from "./cma-es.ts";
import { Margin } from "./margin.ts";
import type { Candidate, LearntDistribution, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";
import { defaultPopulationSize } from "./strategy-parameters.ts";

/**
 * CMA-ES over the unit cube: it searches R^n and every point goes through the smooth map of `intoUnitCube`, or where coordinates
 * have levels through that of `Margin`. The mean of its distribution is what it recommends, and the reference, asked last.
 */
export class BoundedCmaEs implements Optimizer {
  readonly #search: CmaEs;
  readonly #margin: Margin;
  readonly #hasLevels: boolean;

  constructor({ start, seed, inject = [], levels, ...options }: OptimizerOptions, model?: CovarianceModel) {
    const random = RandomStream.of(seed, "cma-es");
    const { populationSize = defaultPopulationSize(start.length) } = options;
    this.#hasLevels = levels?.some((count) => count > 0) ?? false;
    this.#margin = new Margin(levels ?? Array.from(start, () => 0), populationSize);
    this.#search = new CmaEs({
      ...options,
      populationSize,
      ...(model && { model }),
      mean: this.#margin.outOf(start),
      inject: inject.map((point) => this.#margin.outOf(point)),
      // Wider than this, the distribution would wrap around the bounds and no longer tell directions apart.
      maximumDeviation: 1 / 3,
      normal: () => random.normal(),
    });
    this.#keepMargin();
  }

  get generation(): number {
    return this.#search.generation;
  }

  get candidates(): number {
    return this.#search.populationSize + 1;
  }

  /** None where coordinates have levels, which the margin sees otherwise than the distribution. */
  get learnt(): LearntDistribution | undefined {
    if (this.#hasLevels) return undefined;
    return { mean: this.recommend(), covariance: this.#search.learnt };
  }

  get converged(): boolean {
    return this.#search.largestDeviation < 1e-3;
  }

  recommend(): Float64Array {
    return this.#margin.into(this.#search.mean);
  }

  ask(): readonly Candidate[] {
    const points = [...this.#search.ask().map((sample) => this.#margin.into(sample)), this.recommend()];
    return points.map((point, i) => ({ point, wantsGradient: false, isReference: i === points.length - 1 }));
  }

  tell(scores: readonly Score[]): void {
    this.#search.tell(scores.slice(0, -1).map(({ loss }) => loss));
    this.#keepMargin();
  }

  #keepMargin(): void {
    this.#margin.correct(this.#search.mean, this.#search.deviations);
  }
}
