/**
 * Scores a whole generation in one pass over the layers. Each layer of the parents is brought to the device once; each
 * candidate's layer is merged there, all of its tokens go through it, and it is dropped. Candidates that agree on
 * the coefficients so far share the activations so far.
 * @module
 */
import pLimit, { type LimitFunction } from "p-limit";
import type { Recipe } from "../merge/recipe.ts";
import { packPrompts, paddedTokens, splitByTokens, type PackedBatch, type Prompt } from "./pack.ts";
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
    const passes = this.#passes(recipes.length, packPrompts(prompts, { batchTokens, window: model.window }));
    const hashing = digestOf === undefined ? undefined : new WeightsHashing(digestOf);
    const logLikelihoods = recipes.map(() =>
      prompts.map(({ continuations }) => new Float64Array(continuations.length)),
    );
    for (const [done, { members, packed }] of passes.entries()) {
      const report = (share: number): void => onProgress?.((done + share) / passes.length);
      await sendThrough(this.#options, packed, { recipes, members, hashing, signal, report, logLikelihoods });
    }
    return hashing ? { logLikelihoods, digest: hashing.digest.digest() } : { logLikelihoods };
  }

  /**
   * Which candidates and batches meet in a pass: all where their activations, f32 [tokens, hidden] for each candidate, fit
   * on the device together, and otherwise fewer batches; fewer candidates where one batch of all would not fit.
   */
  #passes(candidates: number, batches: readonly PackedBatch[]): { members: number[]; packed: PackedBatch[] }[] {
    const { device, model } = this.#options;
    const capacity = device.memory.capacityBytes ?? Infinity;
    const tokens = (capacity * ACTIVATIONS_SHARE) / (model.hiddenSize * 4);
    const largest = Math.max(...batches.map(paddedTokens));
    const together = Math.min(candidates, Math.max(1, Math.floor(tokens / largest)));
    return evenParts(candidates, Math.ceil(candidates / together)).flatMap((members) =>
      splitByTokens(batches, tokens / members.length).map((packed) => ({ members, packed })),
    );
  }
}

/** The numbers below `count` in `parts` runs of nearly equal length. */
function evenParts(count: number, parts: number): number[][] {
  const numbers = [...Array(count).keys()];
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.round((count * i) / parts));
  return bounds.slice(1).map((end, i) => numbers.slice(bounds[i], end));
}
