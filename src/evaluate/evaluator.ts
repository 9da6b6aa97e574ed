import type { Tokenizer } from "../model/tokenizer/tokenizer.ts";
import { scoreRow, type RowScore } from "../tasks/score.ts";
import type { TaskRow } from "../tasks/rows.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { GradientOptions, WeightDerivatives } from "./differentiate.ts";
import { termRow } from "./loss-term.ts";
import { inRowOrder, promptsOf, type RowPrompts, type TokenLimits } from "./prompt.ts";
import type { ScoreOptions, Scorer } from "./scorer.ts";

/** Rows to score, by task. */
export type Selection = Readonly<Record<string, readonly TaskRow[]>>;

/** What a model's losses are, whatever else is known of its scores: in the order of the selection's rows, by task. */
export interface RowLosses {
  readonly scores: Readonly<Record<string, readonly Pick<RowScore, "loss">[]>>;
}

/** What one model made of a selection. */
export interface Evaluation {
  /** Scores in the order of the selection's rows, by task. */
  readonly scores: Readonly<Record<string, readonly RowScore[]>>;
  /** Hash of the weights that were scored, where it was asked for. */
  readonly digest?: string;
}

/** What one model made of a selection, and how that depends on how it is merged. */
export interface EvaluationGradient extends Pick<Evaluation, "scores"> {
  /** Of the weighted sum of the rows' losses, by every coefficient of every weight; NaN where a loss is. */
  readonly derivatives: WeightDerivatives;
}

/** Rows that are with the tokenizer at once: it never waits for the next, and their texts are not all held twice. */
const ROWS_AT_ONCE = 512;

/** Scores models, given as recipes, on rows of tasks; tokenises each row once. */
export class Evaluator {
  readonly #scorer: Scorer;
  readonly #tokenizer: Tokenizer;
  readonly #limits: TokenLimits;
  readonly #prompts: Map<string, RowPrompts>;

  constructor(scorer: Scorer, tokenizer: Tokenizer, limits: TokenLimits, prompts: Map<string, RowPrompts> = new Map()) {
    this.#scorer = scorer;
    this.#tokenizer = tokenizer;
    this.#limits = limits;
    this.#prompts = prompts;
  }

  /** Another evaluator of the same parents; what one of the two has tokenised, the other knows. */
  withScorer(scorer: Scorer): Evaluator {
    return new Evaluator(scorer, this.#tokenizer, this.#limits, this.#prompts);
  }

  /** Tokenises rows ahead of their evaluation, so that one that cannot be scored is a UserError at once. */
  async prepare(rows: readonly TaskRow[], signal?: AbortSignal): Promise<void> {
    const unseen = rows.filter(({ id }) => !this.#prompts.has(id));
    for (let start = 0; start < unseen.length; start += ROWS_AT_ONCE) {
      const part = unseen.slice(start, start + ROWS_AT_ONCE);
      const tokenised = await this.#tokenizer.encode(part, signal);
      for (const [i, row] of part.entries()) this.#prompts.set(row.id, promptsOf(row, tokenised[i]!, this.#limits));
    }
  }

  /** Tokens that layers compute of each model that is scored on these rows, which were prepared. */
  tokensOf(selection: Selection): number {
    const rows = Object.values(selection).flat();
    return this.#scorer.tokensOf(rows.flatMap(({ id }) => this.#prompts.get(id)?.prompts ?? []));
  }

  /** How many calls may usefully be in flight at once. */
  get lanes(): number {
    return this.#scorer.lanes;
  }

  /** Tokens that the model reads at once. */
  get maxLength(): number {
    return this.#limits.maxLength;
  }

  /** How many of these rows, which were prepared, are too long for the model and lose their beginning. */
  cutAmong(rows: readonly TaskRow[]): number {
    return rows.filter(({ id }) => this.#prompts.get(id)?.isCut).length;
  }

  /** One evaluation a recipe; all of them see the same rows in the same batches. */
  async evaluate(recipes: readonly Recipe[], selection: Selection, options: ScoreOptions = {}): Promise<Evaluation[]> {
    const prepared = await this.#prepared(selection, options.signal);
    const prompts = prepared.flatMap((row) => row.prompts);
    const { logLikelihoods, greedy, digest } = await this.#scorer.score(recipes, prompts, options);
    return logLikelihoods.map((values, candidate) => ({
      scores: scoresOf(selection, prepared, values, greedy?.[candidate]),
      ...(digest !== undefined && candidate === options.digestOf && { digest }),
    }));
  }

  /**
   * The same, with derivatives of the sum of the rows' losses, each times the weight of its task, under all recipes or under each. It costs about as much as
   * three and a half evaluations and reads the parents twice.
   */
  async gradient(
    recipes: readonly Recipe[],
    selection: Selection,
    weights: Readonly<Record<string, number | readonly number[]>>,
    options: GradientOptions = {},
  ): Promise<EvaluationGradient[]> {
    const prepared = await this.#prepared(selection, options.signal);
    const taskRows = Object.entries(selection).flatMap(([task, own]) => own.map((row) => ({ task, row })));
    const lossRows = taskRows.map(({ task, row }, i) => {
      const { prompts, continuations } = prepared[i]!;
      return termRow(prompts, { row, weight: weights[task] ?? NaN, continuations });
    });
    const { logLikelihoods, derivatives } = await this.#scorer.gradient(recipes, lossRows, options);
    return logLikelihoods.map((values, candidate) => ({
      scores: scoresOf(selection, prepared, values),
      derivatives: derivatives[candidate]!,
    }));
  }

  async #prepared(selection: Selection, signal: AbortSignal | undefined): Promise<RowPrompts[]> {
    const rows = Object.values(selection).flat();
    await this.prepare(rows, signal);
    return rows.map(({ id }) => this.#prompts.get(id)!);
  }
}

/** Scores by task, from the log-likelihoods of the prompts of all rows. */
function scoresOf(
  selection: Selection,
  prepared: readonly RowPrompts[],
  logLikelihoods: readonly Float64Array[],
  greedy?: readonly Float64Array[],
): Evaluation["scores"] {
  let [next, start] = [0, 0];
  const scoreOfNext = (row: TaskRow): RowScore => {
    const own = prepared[next++]!;
    const [from, to] = [start, (start += own.prompts.length)];
    const score = scoreRow(row, inRowOrder(own, logLikelihoods.slice(from, to)));
    return greedy ? { ...score, greedy: inRowOrder(own, greedy.slice(from, to)).map((one) => one === 1) } : score;
  };
  const scores = Object.entries(selection).map(([task, own]): [string, RowScore[]] => [task, own.map(scoreOfNext)]);
  return Object.fromEntries(scores);
}
