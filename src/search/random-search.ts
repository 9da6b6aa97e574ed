import { RandomStream } from "../tensor/random.ts";
import { PendingGeneration, rankSucceeded } from "./generation.ts";
import type { Optimizer, OptimizerOptions } from "./optimizer.ts";
import { defaultPopulationSize } from "./strategy-parameters.ts";

/**
 * Uniform random search, the baseline that every other optimizer has to beat. It recommends a point until a candidate does
 * better on the rows on which both were scored; the least loss ever told would belong to the easiest rows.
 */
export class RandomSearch implements Optimizer {
  readonly converged = false;
  readonly #dimension: number;
  readonly #populationSize: number;
  readonly #inject: readonly Float64Array[];
  readonly #random: RandomStream;
  readonly #pending = new PendingGeneration<Float64Array>();
  #best: Float64Array;
  #generation = 0;

  constructor(options: OptimizerOptions) {
    this.#dimension = options.start.length;
    this.#populationSize = options.populationSize ?? defaultPopulationSize(this.#dimension);
    this.#inject = options.inject ?? [];
    this.#random = RandomStream.of(options.seed, "random");
    this.#best = options.start.slice();
  }

  get mean(): Float64Array {
    return this.#best.slice();
  }

  get generation(): number {
    return this.#generation;
  }

  ask(): Float64Array[] {
    const candidates = this.#pending.open(() =>
      Array.from({ length: this.#populationSize }, (_, i) => {
        const injected = this.#generation === 0 ? this.#inject[i] : undefined;
        return injected ?? new Float64Array(this.#dimension).map(() => this.#random.uniform());
      }),
    );
    return candidates.map((candidate) => candidate.slice());
  }

  tell(losses: readonly number[], meanLoss: number): void {
    const candidates = this.#pending.close(losses);
    this.#generation++;
    const [best] = rankSucceeded(losses);
    if (best !== undefined && !(meanLoss <= losses[best]!)) this.#best = candidates[best]!;
  }
}
