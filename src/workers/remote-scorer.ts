import { UserError } from "../errors.ts";
import { computedTokens, totalTokens } from "../evaluate/batch-sizes.ts";
import type { GenerationGradient, GradientOptions } from "../evaluate/differentiate.ts";
import type { TermRow } from "../evaluate/loss-term.ts";
import { Pace } from "../evaluate/pace.ts";
import { type BatchPlan, packedTokens, planBatches, type Prompt } from "../evaluate/pack.ts";
import { scoreBatches } from "../evaluate/score-batches.ts";
import { sumsOf } from "../evaluate/scored-parts.ts";
import type { GenerationScores, ScoreOptions, Scorer } from "../evaluate/scorer.ts";
import { knownTensors, stampsOf } from "../experiment/identity.ts";
import type { ScoredParents, ScorerUse } from "../experiment/workspace.ts";
import { BASE } from "../experiment/the-base.ts";
import type { Recipe } from "../merge/recipe.ts";
import { type WorkerAnswer, type Numbers, receivedDerivatives, receivedSums } from "./answers.ts";
import { roundsFor } from "./deal.ts";
import { DealtScoring } from "./dealt-scoring.ts";
import { type AskedNumbers, type Job, sentPrompt, sentTerm, type Terms } from "./jobs.ts";
import { readUnknown, sharedIdentity } from "./shared-identity.ts";
import { WorkerRates } from "./worker-rates.ts";

/** Somebody who has jobs done by workers. */
export interface Dealer {
  /** Those that are there, as far as that is known. */
  readonly workers: number;
  /** Finds out how many there are by now. */
  count(): Promise<void>;
  /**
   * Has every job done and `accept` told an answer to each, in any order. An answer for which that throws a UserError is none:
   * the job is done again. Rejects with the signal's reason when that aborts.
   */
  deal(jobs: readonly Job[], options: DealOptions): Promise<void>;
}

export interface DealOptions {
  readonly accept: (index: number, answer: WorkerAnswer) => void;
  readonly signal?: AbortSignal | undefined;
}

export interface RemoteOptions {
  readonly use: ScorerUse;
  /** Padded tokens of one batch. */
  readonly batchTokens: number;
  readonly parents: ScoredParents;
  /** Whether workers with other engines may answer. */
  readonly isMixed: boolean;
  /** Whether workers open the very files of the parents here, and need not hash them again. */
  readonly areFilesShared?: boolean;
  readonly now?: () => number;
  /** What comes before the first job, unless it is to read the parents, so that theirs are known to be the same. */
  readonly read?: (signal: AbortSignal | undefined) => Promise<void>;
}

/** Scores by the workers of a dealer. The parents here are read once, so that theirs are known to be the same. */
export class RemoteScorer implements Scorer {
  readonly #dealer: Dealer;
  readonly #options: RemoteOptions;
  readonly #pace = new Pace();
  readonly #now: () => number;
  /** How many times faster the fastest worker was than the slowest, at the last scoring. */
  #spread = Infinity;

  constructor(dealer: Dealer, options: RemoteOptions) {
    this.#dealer = dealer;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  get lanes(): number {
    return this.#workers;
  }

  tokensOf(prompts: readonly Prompt[]): number {
    return packedTokens(prompts, this.#options);
  }

  async score(
    recipes: readonly Recipe[],
    prompts: readonly Prompt[],
    options: ScoreOptions = {},
  ): Promise<GenerationScores> {
    const logLikelihoods = sumsOf(recipes.length, prompts, 0);
    const greedy = options.greedy ? sumsOf(recipes.length, prompts, 1) : undefined;
    let digest: string | undefined;
    const send = async (planned: readonly BatchPlan[], report: (share: number) => void): Promise<number> => {
      const waitMs = await this.#readFirst(options.signal);
      await this.#dealer.count();
      const began = this.#now();
      // Weights are the same whatever they are scored on: the first batches tell their hash.
      const digestOf = digest === undefined ? options.digestOf : undefined;
      const own = { recipes, prompts, planned, logLikelihoods, greedy, digestOf };
      const workers = this.#workers;
      const dealt = new DealtScoring(own, workers, roundsFor(this.#spread));
      const rates = new WorkerRates(workers);
      await this.#deal(dealt.jobs, { ...options, onProgress: report }, (i, { worker, ...numbers }) => {
        dealt.take(i, numbers);
        rates.add(worker, dealt.work(i), this.#now() - began);
      });
      this.#spread = rates.spread;
      digest ??= dealt.digest;
      const work = { models: recipes.length, tokens: totalTokens(planned, computedTokens), passes: 1 };
      this.#pace.learn({ ...work, ms: this.#now() - began, waitMs: 0 });
      return waitMs;
    };
    const batches = planBatches(prompts, this.#options);
    const scoring = { batches, logLikelihoods, mostPadded: Infinity, pace: this.#pace, now: this.#now, send };
    await scoreBatches(scoring, options);
    return { logLikelihoods, ...(greedy && { greedy }), ...(digest !== undefined && { digest }) };
  }

  /**
   * One job, since a sum over rows has other bits where other candidates are beside it, or rows are divided. Calls that are in
   * flight at once go to several workers.
   */
  async gradient(
    recipes: readonly Recipe[],
    rows: readonly TermRow[],
    options: GradientOptions = {},
  ): Promise<GenerationGradient> {
    const { checkpoints, experts } = this.#options.parents;
    const weights = checkpoints.get(BASE)?.tensors ?? new Map<string, never>();
    const sent = rows.map(({ prompts, term }) => ({ prompts: prompts.map(sentPrompt), term: sentTerm(term) }));
    const prompts = sent.flatMap((row) => row.prompts);
    await this.#readFirst(options.signal);
    let found: GenerationGradient | undefined;
    await this.#deal([{ kind: "gradient", recipes, rows: sent }], options, (_, numbers) => {
      const logLikelihoods = receivedSums(numbers.logLikelihoods, recipes.length, prompts);
      const derivatives = receivedDerivatives(numbers.derivatives, recipes.length, experts.length, weights);
      found = { logLikelihoods, derivatives };
    });
    if (!found) throw new Error("workers: a gradient without an answer");
    return found;
  }

  get #workers(): number {
    return Math.max(1, this.#dealer.workers);
  }

  #terms(): Terms {
    const { use, batchTokens, parents, isMixed, areFilesShared } = this.#options;
    const { tensors } = knownTensors(parents);
    const stamps = areFilesShared ? { stamps: stampsOf(parents) } : {};
    return { identity: sharedIdentity(parents), isMixed, tensors, ...stamps, use, batchTokens };
  }

  /** Milliseconds until all is known that workers are told of the parents. */
  async #readFirst(signal: AbortSignal | undefined): Promise<number> {
    const { parents, read = (own) => readUnknown(parents, own) } = this.#options;
    const began = this.#now();
    await read(signal);
    return this.#now() - began;
  }

  /** Has jobs done, each of which has an equal part of what progress is told. */
  async #deal(
    jobs: readonly AskedNumbers[],
    { signal, onProgress }: Pick<ScoreOptions, "signal" | "onProgress">,
    take: (index: number, answer: Numbers & Pick<WorkerAnswer, "worker">) => void,
  ): Promise<void> {
    const terms = this.#terms();
    const done = new Set<number>();
    const accept = (i: number, answer: WorkerAnswer): void => {
      if (answer.kind !== "numbers") throw new UserError(`an answer: expected numbers, found ${answer.kind}`);
      if (done.has(i)) return;
      take(i, answer);
      onProgress?.(done.add(i).size / jobs.length);
    };
    await this.#dealer.deal(
      jobs.map((job) => ({ ...job, ...terms })),
      { signal, accept },
    );
  }
}
