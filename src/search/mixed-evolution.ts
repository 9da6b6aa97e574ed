import { expWithinOne } from "../tensor/elementary.ts";
import { RandomStream } from "../tensor/random.ts";
import { PendingGeneration, rankSucceeded } from "./generation.ts";
import { middleOf, partOf } from "./levels.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";
import { defaultPopulationSize } from "./strategy-parameters.ts";

/** Of the candidates that change numbers, the part that is to be better: more, and steps are too short. */
const SUCCESSES = 1 / 5;

/** What a candidate changes of the best point so far. */
type Change = "levels" | "numbers" | "nothing";

interface Child {
  readonly change: Change;
  readonly point: Float64Array;
}

/**
 * A mixed-integer evolution strategy of one parent, which stays unless a child is better on the same rows (after Li et al. 2013,
 * doi:10.1162/EVCO_a_00059). Of a coordinate with levels no value is nearer to another: one in as many as there are is drawn
 * anew, and at least one. Steps of numbers are normal, as long as one in five is a success (Rechenberg). Every other child changes levels,
 * the others numbers, so that each is judged by itself.
 */
export class MixedEvolution implements Optimizer {
  readonly #options: OptimizerOptions;
  readonly #populationSize: number;
  readonly #random: RandomStream;
  readonly #pending = new PendingGeneration<Child>();
  readonly #withLevels: readonly number[];
  readonly #withNumbers: readonly number[];
  #best: Float64Array;
  #sigma: number;
  #generation = 0;

  constructor(options: OptimizerOptions) {
    const { start, levels = [], scales, inject } = options;
    this.#options = {
      ...options,
      scales: scales?.slice() ?? new Float64Array(start.length).fill(1),
      ...(inject && { inject: inject.map((point) => point.slice()) }),
    };
    this.#populationSize = options.populationSize ?? defaultPopulationSize(start.length);
    this.#random = RandomStream.of(options.seed, "mixed evolution");
    const all = [...start.keys()];
    this.#withLevels = all.filter((j) => (levels[j] ?? 0) > 1);
    this.#withNumbers = all.filter((j) => (levels[j] ?? 0) === 0);
    this.#best = start.slice();
    this.#sigma = options.sigma;
  }

  get generation(): number {
    return this.#generation;
  }

  get candidates(): number {
    return this.#populationSize + 1;
  }

  /** Levels are never settled: there is always another to try. */
  get converged(): boolean {
    return this.#withLevels.length === 0 && this.#sigma * Math.max(...this.#scales) < 1e-3;
  }

  get #scales(): Float64Array {
    return this.#options.scales ?? new Float64Array();
  }

  recommend(): Float64Array {
    return this.#best.slice();
  }

  ask(): readonly Candidate[] {
    const injected = this.#generation === 0 ? (this.#options.inject ?? []) : [];
    const children = this.#pending.open(() => [
      ...Array.from({ length: this.#populationSize }, (_, i): Child => {
        const given = injected[i];
        return given ? { change: "levels", point: given.slice() } : this.#child(i);
      }),
      { change: "nothing", point: this.#best },
    ]);
    return children.map(({ change, point }) => ({
      point: point.slice(),
      wantsGradient: false,
      isReference: change === "nothing",
    }));
  }

  tell(scores: readonly Score[]): void {
    const children = this.#pending.close(scores);
    this.#generation++;
    const losses = scores.map(({ loss }) => loss);
    const reference = losses.at(-1) ?? Number.NaN;
    const better = rankSucceeded(losses).filter((i) => i < losses.length - 1 && !(reference <= losses[i]!));
    this.#adaptSigma(children, better);
    const [best] = better;
    if (best !== undefined) this.#best = children[best]!.point;
  }

  #child(i: number): Child {
    const change =
      this.#withNumbers.length === 0 || (this.#withLevels.length > 0 && i % 2 === 0) ? "levels" : "numbers";
    const point = this.#best.slice();
    if (change === "levels") this.#changeLevels(point);
    else for (const j of this.#withNumbers) point[j] = folded(point[j]! + this.#stepOf(j));
    return { change, point };
  }

  #stepOf(j: number): number {
    return this.#sigma * this.#scales[j]! * this.#random.normal();
  }

  #changeLevels(point: Float64Array): void {
    const count = this.#withLevels.length;
    const certain = this.#random.integer(count);
    for (const [i, j] of this.#withLevels.entries()) {
      if (i !== certain && this.#random.integer(count) > 0) continue;
      const levels = this.#options.levels?.[j] ?? 0;
      const another = 1 + this.#random.integer(levels - 1);
      point[j] = middleOf((partOf(point[j]!, levels) + another) % levels, levels);
    }
  }

  #adaptSigma(children: readonly Child[], better: readonly number[]): void {
    const tried = children.filter(({ change }) => change === "numbers").length;
    if (tried === 0) return;
    const succeeded = better.filter((i) => children[i]!.change === "numbers").length;
    const rate = (succeeded / tried - SUCCESSES) / (1 - SUCCESSES);
    // A third of the range is as wide as other searches go; below the least step nothing changes any more.
    this.#sigma = Math.min(1 / 3, Math.max(1e-9, this.#sigma * expWithinOne(rate)));
  }
}

/** Folds the real line onto the unit interval, as if its ends were mirrors. */
function folded(value: number): number {
  const phase = Math.abs(value) % 2;
  return Math.min(phase, 2 - phase);
}
