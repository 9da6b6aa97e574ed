/**
 * Scores a whole generation in one pass over the layers. Each layer of the parents is brought to the device once; each
 * candidate's layer is merged there, all of its tokens go through it, and it is dropped. Candidates that agree on
 * the coefficients so far share the activations so far.
 * @module
 */
import type { Recipe } from "../merge/recipe.ts";
import { differentiate, type GenerationGradient, type GradientOptions, type LossRow } from "./differentiate.ts";
import { fitting } from "./fitting.ts";
import { Pace } from "./pace.ts";
import { computedTokens, paddedTokens, totalTokens } from "./batch-sizes.ts";
import { packedTokens, packPrompts, type PackedBatch, type Prompt } from "./pack.ts";
import { sendThrough } from "./pass.ts";
import { scoreBatches } from "./score-batches.ts";
import { sumsOf } from "./scored-parts.ts";
import type { GenerationScores, ScoreOptions, Scorer } from "./scorer.ts";
import { WeightsHashing, type Merging } from "./stage-run.ts";
import { type PassWork, withinMemory } from "./within-memory.ts";

export interface ScorerOptions extends Merging {
  /** Padded tokens of one batch. */
  readonly batchTokens: number;
  /** Wall-clock time in milliseconds; that of this machine unless given. */
  readonly now?: (() => number) | undefined;
}

export class GenerationScorer implements Scorer {
  /** Calls of all scorers of the same parents take turns. */
  readonly lanes = 1;
  readonly #options: ScorerOptions;
  readonly #pace = new Pace();
  readonly #now: () => number;

  constructor(options: ScorerOptions) {
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
  }

  /** Tokens that layers compute of each candidate that is scored on these prompts. */
  tokensOf(prompts: readonly Prompt[]): number {
    return packedTokens(prompts, this.#options);
  }

  /**
   * Log-likelihoods of all prompts under every recipe; every recipe sees the same batches. Where the activations of all
   * candidates would not fit on the device at once, or parts are to be kept, the prompts are scored in several passes.
   * Calls of all scorers of the same parents take turns.
   */
  score(recipes: readonly Recipe[], prompts: readonly Prompt[], options: ScoreOptions = {}): Promise<GenerationScores> {
    return this.#options.parents.turn(() => this.#score(recipes, prompts, options));
  }

  async #score(
    recipes: readonly Recipe[],
    prompts: readonly Prompt[],
    options: ScoreOptions,
  ): Promise<GenerationScores> {
    const { model, batchTokens } = this.#options;
    const { signal, digestOf } = options;
    const batches = packPrompts(prompts, { batchTokens, ...model });
    const hashing = digestOf === undefined ? undefined : new WeightsHashing(digestOf);
    const logLikelihoods = sumsOf(recipes.length, prompts, 0);
    const greedy = options.greedy ? sumsOf(recipes.length, prompts, 1) : undefined;
    const { tokens, ...fit } = fitting(this.#options, recipes.length, Math.max(...batches.map(paddedTokens)));
    let { groups } = fit;
    const send = async (packed: readonly PackedBatch[], onShare: (share: number) => void): Promise<number> => {
      let waitMs = 0;
      const passes: PassWork<PackedBatch>[] = [];
      for (const [i, group] of groups.entries()) {
        const report = (share: number): void => onShare((i + share) / groups.length);
        const pass = async ({ members, parts }: PassWork<PackedBatch>): Promise<void> => {
          const shared = { recipes, hashing, signal, report, logLikelihoods, greedy, now: this.#now };
          const took = await sendThrough(this.#options, parts, { ...shared, members });
          this.#pace.learn({ models: members.length, tokens: totalTokens(parts, computedTokens), passes: 1, ...took });
          waitMs += took.waitMs;
        };
        passes.push(...(await withinMemory(this.#options.parents, { members: group, parts: packed }, pass)));
      }
      // What had no room together is not tried together again.
      groups = [...new Set(passes.map(({ members }) => members))];
      return waitMs;
    };
    const scoring = { batches, logLikelihoods, mostPadded: tokens, pace: this.#pace, now: this.#now, send };
    await scoreBatches(scoring, options);
    return { logLikelihoods, ...(greedy && { greedy }), ...(hashing && { digest: hashing.digest.digest() }) };
  }

  /**
   * Log-likelihoods and derivatives of the rows' losses by every coefficient, under every recipe. Prompts of a row share a
   * batch; where each row has one prompt, the batches are those of `score`, and so are the bits of the log-likelihoods, unless
   * the device computes several operations of a scoring at once. The stages are visited forward and back; meanwhile the states
   * at the entrance of every stage stay on the device, f32
   * [tokens, hidden] of each candidate: as many rows and candidates meet in a pass as let these take no more of the device
   * than the activations of a scoring may; where they take less than a quarter of it, results from inside the stages stay too,
   * up to a quarter. Beside them there is what a scoring has, and for each lane the work space of one stage and its
   * derivatives. Parents are read twice, but the last stage, which is visited twice in a row, once. Calls of
   * all scorers of the same parents take turns.
   */
  gradient(
    recipes: readonly Recipe[],
    rows: readonly LossRow[],
    options: GradientOptions = {},
  ): Promise<GenerationGradient> {
    return this.#options.parents.turn(() => differentiate(this.#options, recipes, rows, options));
  }
}
