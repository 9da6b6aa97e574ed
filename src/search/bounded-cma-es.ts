import { RandomStream } from "../tensor/random.ts";
import { intoUnitCube, outOfUnitCube } from "./bounds.ts";
import { CmaEs, type CovarianceModel } from "./cma-es.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";

/**
 * CMA-ES over the unit cube: it searches R^n and every point goes through the smooth map of `intoUnitCube`. The mean of
 * its distribution is what it recommends, and the reference, asked last.
 */
export class BoundedCmaEs implements Optimizer {
  readonly #search: CmaEs;

  constructor({ start, seed, inject = [], ...options }: OptimizerOptions, model?: CovarianceModel) {
    const random = RandomStream.of(seed, "cma-es");
    this.#search = new CmaEs({
      ...options,
      ...(model && { model }),
      mean: outOfUnitCube(start),
      inject: inject.map(outOfUnitCube),
      // Wider than this, the distribution would wrap around the bounds and no longer tell directions apart.
      maximumDeviation: 1 / 3,
      normal: () => random.normal(),
    });
  }

  get generation(): number {
    return this.#search.generation;
  }

  get candidates(): number {
    return this.#search.populationSize + 1;
  }

  get converged(): boolean {
    return this.#search.largestDeviation < 1e-3;
  }

  recommend(): Float64Array {
    return intoUnitCube(this.#search.mean);
  }

  ask(): readonly Candidate[] {
    const points = [...this.#search.ask().map(intoUnitCube), this.recommend()];
    return points.map((point, i) => ({ point, wantsGradient: false, isReference: i === points.length - 1 }));
  }

  tell(scores: readonly Score[]): void {
    this.#search.tell(scores.slice(0, -1).map(({ loss }) => loss));
  }
}
