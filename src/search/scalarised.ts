import { PendingGeneration } from "./generation.ts";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "./optimizer.ts";
import { countWeighings, weighingsOf } from "./weighings.ts";

/** A search for the least loss by one weighing of the objectives. */
interface Scalarisation {
  readonly weights: readonly number[];
  readonly search: Optimizer;
}

/**
 * A search for a front: several at once, each for the least loss by another weighing of the objectives, on the same rows. The first one weighs
 * them as the combined loss does; its reference is that of all, and it is what is recommended. None knows of the others. Those behind the first begin at the
 * injected points, as far as there are some.
 */
export class Scalarised implements Optimizer {
  readonly #scalarisations: readonly Scalarisation[];
  readonly #pending = new PendingGeneration<Candidate>();
  /** Candidates of each search in the generation that was asked. */
  #sizes: readonly number[] = [];

  constructor(options: OptimizerOptions, create: (options: OptimizerOptions) => Optimizer) {
    const { objectives = [1], populationSize = countWeighings(objectives.length), inject = [], ...own } = options;
    this.#scalarisations = weighingsOf(objectives, populationSize).map((weights, i) => ({
      weights,
      search: create({ ...own, start: [own.start, ...inject][i] ?? own.start }),
    }));
  }

  get generation(): number {
    return this.#first.generation;
  }

  get candidates(): number {
    return this.#scalarisations.reduce((sum, { search }) => sum + search.candidates, 0);
  }

  get converged(): boolean {
    return this.#scalarisations.every(({ search }) => search.converged);
  }

  get isStuck(): boolean {
    return this.#scalarisations.every(({ search }) => search.isStuck === true);
  }

  get front(): readonly Float64Array[] {
    return this.#scalarisations.map(({ search }) => search.recommend());
  }

  recommend(): Float64Array {
    return this.#first.recommend();
  }

  ask(): readonly Candidate[] {
    return this.#pending.open(() => {
      const asked = this.#scalarisations.map(({ search, weights }) =>
        search.ask().map((candidate) => ({
          ...candidate,
          weights,
          isReference: candidate.isReference && search === this.#first,
        })),
      );
      this.#sizes = asked.map(({ length }) => length);
      return asked.flat();
    });
  }

  tell(scores: readonly Score[], spent: number): void {
    this.#pending.close(scores);
    let next = 0;
    for (const [i, { search, weights }] of this.#scalarisations.entries()) {
      const own = scores.slice(next, (next += this.#sizes[i]!));
      search.tell(
        own.map((score) => ({ ...score, loss: weighed(score, weights) })),
        spent,
      );
    }
  }

  get #first(): Optimizer {
    return this.#scalarisations[0]!.search;
  }
}

function weighed({ loss, losses = [loss] }: Score, weights: readonly number[]): number {
  return losses.reduce((sum, own, i) => sum + weights[i]! * own, 0);
}
