/**
 * Scores a whole generation in one pass over the layers. Each layer of the parents is brought to the device once; each
 * candidate's layer is merged there, all of its tokens go through it, and it is dropped. Candidates that agree on
 * the coefficients so far share the activations so far.
 * @module
 */
import type { Recipe } from "../merge/recipe.ts";
import { differentiate, type GenerationGradient, type GradientOptions, type LossRow } from "./differentiate.ts";
import { fitting } from "./fitting.ts";
import { Pace, type WorkTime } from "./pace.ts";
import { computedTokens, firstBatches, paddedTokens, totalTokens } from "./batch-sizes.ts";
import { packedTokens, packPrompts, type Prompt } from "./pack.ts";
import { sendThrough } from "./pass.ts";
import { PartKeeper, type LogLikelihoods, type PartStore } from "./scored-parts.ts";
import { WeightsHashing, type Merging } from "./stage-run.ts";

export interface ScorerOptions extends Merging {
  /** Padded tokens of one batch. */
  readonly batchTokens: number;
  /** Wall-clock time in milliseconds; that of this machine unless given. */
  readonly now?: (() => number) | undefined;
}

export interface GenerationScores {
  readonly logLikelihoods: LogLikelihoods;
  /** 1 for each continuation whose tokens are the most likely ones, else 0, if that was asked for. */
  readonly greedy?: LogLikelihoods;
  /** Hash of the very weights that were scored for the candidate that `digestOf` named. */
  readonly digest?: string;
}

export interface ScoreOptions {
  /** Looked at between two runs of the device; when it aborts, its reason is thrown and nothing stays on the device. */
  readonly signal?: AbortSignal | undefined;
  /** The candidate whose merged weights are to be hashed while they are scored. */
  readonly digestOf?: number | undefined;
  /** Whether it is asked for whether each token is the most likely one; not beside `parts`, which do not keep that. */
  readonly greedy?: boolean | undefined;
  /** Keeps what is scored while the call goes on. */
  readonly parts?: PartStore | undefined;
  /** Told the share of the call that is done, after each stage. */
  readonly onProgress?: ((share: number) => void) | undefined;
  /** Told at the end what was scored since the last part that was kept, and how long it took. */
  readonly onTime?: ((time: WorkTime) => void) | undefined;
}

export class GenerationScorer {
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
    { signal, digestOf, greedy: asksGreedy = false, parts, onProgress, onTime }: ScoreOptions,
  ): Promise<GenerationScores> {
    const { model, batchTokens } = this.#options;
    const batches = packPrompts(prompts, { batchTokens, ...model });
    const hashing = digestOf === undefined ? undefined : new WeightsHashing(digestOf);
    const sums = (first: number): LogLikelihoods =>
      recipes.map(() => prompts.map(({ continuations }) => new Float64Array(continuations.length).fill(first)));
    const logLikelihoods = sums(0);
    const greedy = asksGreedy ? sums(1) : undefined;
    const { groups, tokens } = fitting(this.#options, recipes.length, Math.max(...batches.map(paddedTokens)));
    const keeper = new PartKeeper(parts, batches, logLikelihoods, this.#now);
    const total = totalTokens(batches, computedTokens);
    let done = keeper.kept;
    while (done < batches.length) {
      const timely = parts ? this.#pace.tokensIn(parts.partMs, recipes.length) : Infinity;
      const packed = firstBatches(batches.slice(done), { padded: tokens, computed: timely });
      const before = totalTokens(batches.slice(0, done), computedTokens);
      const own = totalTokens(packed, computedTokens);
      let waitMs = 0;
      for (const [i, members] of groups.entries()) {
        const report = (share: number): void => onProgress?.((before + ((i + share) / groups.length) * own) / total);
        const pass = { recipes, members, hashing, signal, report, logLikelihoods, greedy, now: this.#now };
        const took = await sendThrough(this.#options, packed, pass).catch((error: unknown) => {
          if (signal?.aborted) keeper.aborted();
          throw error;
        });
        this.#pace.learn({ models: members.length, tokens: own, passes: 1, ...took });
        waitMs += took.waitMs;
      }
      done += packed.length;
      keeper.scored(done, { tokens: own, waitMs });
    }
    onTime?.(keeper.time);
    return { logLikelihoods, ...(greedy && { greedy }), ...(hashing && { digest: hashing.digest.digest() }) };
  }

  /**
   * Log-likelihoods and derivatives of the rows' losses by every coefficient, under every recipe. Prompts of a row share a
   * batch; where each row has one prompt, the batches are those of `score`, and so are the bits of the log-likelihoods. The stages are visited forward and back; meanwhile the states at the entrance of every stage stay on the device, f32
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
