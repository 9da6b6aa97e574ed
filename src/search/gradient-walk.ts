import { Adam } from "./adam.ts";
import { gradientOf, PendingGeneration } from "./generation.ts";
import { downhill, halfway, rateAt, type StepSchedule, scheduledSteps } from "./gradient-step.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";

export interface GradientWalkOptions extends OptimizerOptions, StepSchedule {
  /** Recommends the mean of the points of the schedule's later half, which is then the reference; false by default. */
  readonly averages?: boolean;
}

/**
 * One point that goes downhill by the gradient of each generation's rows, in steps of Adam whose rate falls. A generation is
 * this point alone, without injected ones, and nothing is random. Where a point fails, half the step to it is tried. It
 * recommends the last point that did not fail.
 */
export class GradientWalk implements Optimizer {
  readonly #options: GradientWalkOptions;
  readonly #scales: Float64Array;
  readonly #adam: Adam;
  readonly #pending = new PendingGeneration<Float64Array>();
  /** The last point that did not fail. */
  #safe: Float64Array;
  #next: Float64Array;
  /** Points that did not fail. */
  #scored = 0;
  #generation = 0;
  readonly #sum: Float64Array;
  #summed = 0;

  constructor(options: GradientWalkOptions) {
    const dimension = options.start.length;
    this.#options = options;
    this.#scales = options.scales?.slice() ?? new Float64Array(dimension).fill(1);
    this.#adam = new Adam(dimension);
    this.#safe = options.start.slice();
    this.#next = this.#safe;
    this.#sum = new Float64Array(dimension);
  }

  get generation(): number {
    return this.#generation;
  }

  get converged(): boolean {
    return this.#generation > 0 && this.#next.every((value, j) => Math.abs(value - this.#safe[j]!) < 1e-3);
  }

  recommend(): Float64Array {
    return this.#summed > 0 ? this.#sum.map((sum) => sum / this.#summed) : this.#safe.slice();
  }

  ask(): readonly Candidate[] {
    const isAveraged = this.#summed > 0;
    const points = this.#pending.open(() => [this.#next, ...(isAveraged ? [this.recommend()] : [])]);
    return points.map((point, i) => ({
      point: point.slice(),
      wantsGradient: i === 0,
      isReference: i === points.length - 1,
    }));
  }

  tell(scores: readonly Score[]): void {
    this.#pending.close(scores);
    this.#generation++;
    const gradient = scores[0] && gradientOf(scores[0]);
    if (!gradient) {
      this.#next = halfway(this.#safe, this.#next);
      return;
    }
    this.#safe = this.#next;
    const rate = rateAt(this.#scored++, this.#options);
    this.#next = downhill(this.#safe, this.#adam.direction(gradient), rate, this.#scales);
    if (this.#options.averages === true && this.#scored > scheduledSteps(this.#options) / 2) this.#average();
  }

  #average(): void {
    this.#summed++;
    for (let j = 0; j < this.#sum.length; j++) this.#sum[j]! += this.#safe[j]!;
  }
}
