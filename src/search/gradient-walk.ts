import { Adam } from "./adam.ts";
import { gradientOf, PendingGeneration } from "./generation.ts";
import { annealed, downhill, halfway, ratesOf, Stillness } from "./gradient-step.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";

/**
 * One point that goes downhill by the gradient of each generation's rows, in steps of Adam whose rate falls. A generation is
 * this point alone, without injected ones, and nothing is random. Where a point fails, half the step to it is tried. It
 * recommends the last point that did not fail.
 */
export class GradientWalk implements Optimizer {
  readonly candidates = 1;
  readonly #rates: Float64Array;
  readonly #adam: Adam;
  readonly #pending = new PendingGeneration<Float64Array>();
  readonly #stillness = new Stillness();
  /** The last point that did not fail. */
  #safe: Float64Array;
  #next: Float64Array;
  #generation = 0;

  constructor(options: OptimizerOptions) {
    this.#rates = ratesOf(options);
    this.#adam = new Adam(options.start.length);
    this.#safe = options.start.slice();
    this.#next = this.#safe;
  }

  get generation(): number {
    return this.#generation;
  }

  get converged(): boolean {
    return this.#stillness.lasts;
  }

  get isStuck(): boolean {
    return this.#stillness.isStuck;
  }

  recommend(): Float64Array {
    return this.#safe.slice();
  }

  ask(): readonly Candidate[] {
    return this.#pending
      .open(() => [this.#next])
      .map((point) => ({ point: point.slice(), wantsGradient: true, isReference: true }));
  }

  tell(scores: readonly Score[], spent: number): void {
    this.#pending.close(scores);
    this.#generation++;
    const gradient = scores[0] && gradientOf(scores[0]);
    if (!gradient) {
      this.#next = halfway(this.#safe, this.#next);
      this.#stillness.meet([[this.#safe, this.#next]], this.#rates, true);
      return;
    }
    this.#safe = this.#next;
    const direction = this.#adam.direction(gradient);
    this.#next = downhill(this.#safe, direction, this.#rates, annealed(spent));
    this.#stillness.meet([[this.#safe, downhill(this.#safe, direction, this.#rates, 1)]], this.#rates, false);
  }
}
