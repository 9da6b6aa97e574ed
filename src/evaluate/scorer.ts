import type { Recipe } from "../merge/recipe.ts";
import type { GenerationGradient, GradientOptions } from "./differentiate.ts";
import type { TermRow } from "./loss-term.ts";
import type { WorkTime } from "./pace.ts";
import type { Prompt } from "./pack.ts";
import type { LogLikelihoods, PartStore } from "./scored-parts.ts";

/** What scores and differentiates merges on tokenised rows: this machine, or others. */
export interface Scorer {
  /** How many calls may usefully be in flight at once. */
  readonly lanes: number;
  /** Tokens that layers compute of each candidate that is scored on these prompts. */
  tokensOf(prompts: readonly Prompt[]): number;
  /** Log-likelihoods of all prompts under every recipe; every recipe sees the same batches. */
  score(recipes: readonly Recipe[], prompts: readonly Prompt[], options?: ScoreOptions): Promise<GenerationScores>;
  /** Log-likelihoods of the prompts of all rows, and derivatives of the rows' losses by every coefficient, under every recipe. */
  gradient(
    recipes: readonly Recipe[],
    rows: readonly TermRow[],
    options?: GradientOptions,
  ): Promise<GenerationGradient>;
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
