import { UserError } from "../errors.ts";
import { computedTokens } from "../evaluate/batch-sizes.ts";
import type { BatchPlan, Prompt } from "../evaluate/pack.ts";
import type { LogLikelihoods } from "../evaluate/scored-parts.ts";
import type { Recipe } from "../merge/recipe.ts";
import { type Numbers, receivedSums } from "./answers.ts";
import { dealShares, type Share } from "./deal.ts";
import { type AskedScore, sentPrompt } from "./jobs.ts";

/** What is scored, and where its numbers go: [candidate][prompt][continuation]. */
export interface DealtOptions {
  readonly recipes: readonly Recipe[];
  readonly prompts: readonly Prompt[];
  /** Batches of these prompts that are scored now. */
  readonly planned: readonly BatchPlan[];
  readonly logLikelihoods: LogLikelihoods;
  readonly greedy?: LogLikelihoods | undefined;
  /** The candidate whose weights one of the jobs is to hash. */
  readonly digestOf?: number | undefined;
}

/**
 * A scoring as jobs for so many workers, in so many rounds. A job has some candidates and the prompts of some batches, in the order in which all
 * were given, which make these batches where it is done too. So every number has the bits that it would have without workers, in
 * whatever order answers are taken, and however often.
 */
export class DealtScoring {
  readonly jobs: readonly AskedScore[];
  readonly #options: DealtOptions;
  readonly #shares: readonly Share[];
  /** Of each job: which of all prompts it has. */
  readonly #members: readonly (readonly number[])[];
  /** The job that hashes. */
  readonly #hashing: number;
  #digest: string | undefined;

  constructor(options: DealtOptions, workers: number, rounds: number) {
    const { recipes, planned, digestOf } = options;
    this.#options = options;
    this.#shares = dealShares(recipes.length, planned.map(computedTokens), workers, rounds);
    this.#members = this.#shares.map(({ batches }) =>
      batches.flatMap((batch) => planned[batch]!.members).toSorted((a, b) => a - b),
    );
    this.#hashing =
      digestOf === undefined ? -1 : this.#shares.findIndex(({ candidates }) => candidates.includes(digestOf));
    this.jobs = this.#shares.map((_, index) => this.#jobOf(index));
  }

  /** Of the weights of the candidate that it was asked of, once its job is done. */
  get digest(): string | undefined {
    return this.#digest;
  }

  /** Tokens that a job computes. */
  work(index: number): number {
    const { candidates, batches } = this.#shares[index]!;
    const tokens = batches.reduce((sum, batch) => sum + computedTokens(this.#options.planned[batch]!), 0);
    return candidates.length * tokens;
  }

  /** Takes the numbers of a job; a UserError where they are not those of its candidates and prompts, of which none is taken. */
  take(index: number, { logLikelihoods, greedy, digest }: Numbers): void {
    const { prompts } = this.jobs[index]!;
    const { candidates } = this.#shares[index]!;
    const sums: [LogLikelihoods, Float64Array[][]][] = [
      [this.#options.logLikelihoods, receivedSums(logLikelihoods, candidates.length, prompts)],
    ];
    if (this.#options.greedy) {
      sums.push([this.#options.greedy, receivedSums(greedy ?? [], candidates.length, prompts)]);
    }
    if (index === this.#hashing) {
      if (digest === undefined) throw new UserError("an answer: expected a hash of weights, found none");
      this.#digest = digest;
    }
    for (const [all, own] of sums) this.#place(index, all, own);
  }

  #place(index: number, all: LogLikelihoods, own: readonly (readonly Float64Array[])[]): void {
    for (const [c, candidate] of this.#shares[index]!.candidates.entries()) {
      for (const [p, prompt] of this.#members[index]!.entries()) all[candidate]![prompt]!.set(own[c]![p]!);
    }
  }

  #jobOf(index: number): AskedScore {
    const { recipes, prompts, greedy, digestOf } = this.#options;
    const { candidates } = this.#shares[index]!;
    return {
      kind: "score",
      recipes: candidates.map((candidate) => recipes[candidate]!),
      prompts: this.#members[index]!.map((prompt) => sentPrompt(prompts[prompt]!)),
      ...(greedy && { greedy: true }),
      ...(digestOf !== undefined && index === this.#hashing && { digestOf: candidates.indexOf(digestOf) }),
    };
  }
}
