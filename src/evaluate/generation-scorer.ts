/**
 * Scores a whole generation in one pass over the layers. Each layer of the parents is brought to the device once; each
 * candidate's layer is merged there, all of its tokens go through it, and it is dropped. Candidates that agree on
 * the coefficients so far share the activations so far.
 * @module
 */
import pLimit, { type LimitFunction } from "p-limit";
import type { Recipe } from "../merge/recipe.ts";
import { packPrompts, splitByTokens, type Prompt } from "./pack.ts";
import { sendThrough } from "./pass.ts";
import { WeightsHashing, type Merging } from "./stage-run.ts";

/** Share of the device that activations of all candidates may take. */
const ACTIVATIONS_SHARE = 0.4;

export interface ScorerOptions extends Merging {
  /** Padded tokens of one batch. */
  readonly batchTokens: number;
}

export interface GenerationScores {
  /** Summed log-likelihoods in nats: [candidate][prompt][continuation]. */
  readonly logLikelihoods: readonly (readonly Float64Array[])[];
  /** Hash of the very weights that were scored for the candidate that `digestOf` named. */
  readonly digest?: string;
}

export interface ScoreOptions {
  /** Looked at between two runs of the device; when it aborts, its reason is thrown and nothing stays on the device. */
  readonly signal?: AbortSignal | undefined;
  /** The candidate whose merged weights are to be hashed while they are scored. */
  readonly digestOf?: number | undefined;
  /** Told the share of the pass that is done, after each stage. */
  readonly onProgress?: ((share: number) => void) | undefined;
}

export class GenerationScorer {
  readonly #options: ScorerOptions;
  /** Two passes at once would share, and drop, each other's stages of the parents. */
  readonly #turn: LimitFunction = pLimit(1);

  constructor(options: ScorerOptions) {
    this.#options = options;
  }

  /**
   * Log-likelihoods of all prompts under every recipe; every recipe sees the same batches. Where the activations of all
   * candidates would not fit on the device at once, the prompts are scored in several passes. Calls take turns.
   */
  score(recipes: readonly Recipe[], prompts: readonly Prompt[], options: ScoreOptions = {}): Promise<GenerationScores> {
    return this.#turn(() => this.#score(recipes, prompts, options));
  }

  async #score(
    recipes: readonly Recipe[],
    prompts: readonly Prompt[],
    { signal, digestOf, onProgress }: ScoreOptions,
  ): Promise<GenerationScores> {
    const { model, batchTokens } = this.#options;
    const passes = splitByTokens(
      packPrompts(prompts, { batchTokens, window: model.window }),
      this.#tokensOfAPass(recipes),
    );
    const hashing = digestOf === undefined ? undefined : new WeightsHashing(digestOf);
    const logLikelihoods = recipes.map(() =>
      prompts.map(({ continuations }) => new Float64Array(continuations.length)),
    );
    for (const [done, packed] of passes.entries()) {
      const report = (share: number): void => onProgress?.((done + share) / passes.length);
      await sendThrough(this.#options, packed, { recipes, hashing, signal, report, logLikelihoods });
    }
    return hashing ? { logLikelihoods, digest: hashing.digest.digest() } : { logLikelihoods };
  }

  /** Padded tokens whose activations, f32 [tokens, hidden] for each candidate, may be on the device together. */
  #tokensOfAPass(recipes: readonly Recipe[]): number {
    const { device, model } = this.#options;
    return Math.floor((device.memory.capacityBytes * ACTIVATIONS_SHARE) / (recipes.length * model.hiddenSize * 4));
  }
}
