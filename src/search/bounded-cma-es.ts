import { RandomStream } from "../tensor/random.ts";
import { intoUnitCube, outOfUnitCube } from "./bounds.ts";
import { CmaEs } from "./cma-es.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";

/** CMA-ES over the unit cube: it searches R^n and every point goes through the smooth map of `intoUnitCube`. */
export class BoundedCmaEs implements Optimizer {
  readonly #search: CmaEs;

  constructor({ start, seed, inject = [], ...options }: OptimizerOptions) {
    const random = RandomStream.of(seed, "cma-es");
    this.#search = new CmaEs({
      ...options,
      mean: outOfUnitCube(start),
      inject: inject.map(outOfUnitCube),
      // Wider than this, the distribution would wrap around the bounds and no longer tell directions apart.
      maximumDeviation: 1 / 3,
      normal: () => random.normal(),
    });
  }

  get mean(): Float64Array {
    return intoUnitCube(this.#search.mean);
  }

  get generation(): number {
    return this.#search.generation;
  }

  get converged(): boolean {
    return this.#search.largestDeviation < 1e-3;
  }

  ask(): Float64Array[] {
    return this.#search.ask().map(intoUnitCube);
  }

  tell(losses: readonly number[]): void {
    this.#search.tell(losses);
  }
}
