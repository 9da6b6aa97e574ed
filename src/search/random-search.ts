import { RandomStream } from "../tensor/random.ts";
import { PendingGeneration, rankSucceeded } from "./generation.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";
import { defaultPopulationSize } from "./strategy-parameters.ts";

/**
 * Uniform random search, the baseline that every other optimizer has to beat. It recommends a point, the reference, until a
 * candidate does better on the same rows; the least loss ever told would belong to the easiest rows.
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

  get generation(): number {
    return this.#generation;
  }

  get candidates(): number {
    return this.#populationSize + 1;
  }

  recommend(): Float64Array {
    return this.#best.slice();
  }

  ask(): readonly Candidate[] {
    const points = this.#pending.open(() => [
      ...Array.from({ length: this.#populationSize }, (_, i) => {
        const injected = this.#generation === 0 ? this.#inject[i] : undefined;
        return injected ?? new Float64Array(this.#dimension).map(() => this.#random.uniform());
      }),
      this.#best,
    ]);
    return points.map((point, i) => ({
      point: point.slice(),
      wantsGradient: false,
      isReference: i === points.length - 1,
    }));
  }

  tell(scores: readonly Score[]): void {
    const points = this.#pending.close(scores);
    this.#generation++;
    const losses = scores.map(({ loss }) => loss);
    const referenceLoss = losses.pop() ?? Number.NaN;
    const [best] = rankSucceeded(losses);
    if (best !== undefined && !(referenceLoss <= losses[best]!)) this.#best = points[best]!;
  }
}
