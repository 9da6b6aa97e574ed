import { setImmediate } from "node:timers/promises";
import type { Tokenizer } from "../model/tokenizer.ts";
import { scoreRow, type RowScore } from "../tasks/score.ts";
import type { TaskRow } from "../tasks/rows.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { GenerationScorer, ScoreOptions } from "./generation-scorer.ts";
import type { Prompt } from "./pack.ts";
import { promptOf, type TokenLimits } from "./prompt.ts";

/** Rows to score, by task. */
export type Selection = Readonly<Record<string, readonly TaskRow[]>>;

/** What one model made of a selection. */
export interface Evaluation {
  /** Scores in the order of the selection's rows, by task. */
  readonly scores: Readonly<Record<string, readonly RowScore[]>>;
  /** Hash of the weights that were scored, where it was asked for. */
  readonly digest?: string;
}

/** How long tokenising may keep the event loop from its other work. */
const TURN_MS = 50;

/** Scores models, given as recipes, on rows of tasks; tokenises each row once. */
export class Evaluator {
  readonly #scorer: GenerationScorer;
  readonly #tokenizer: Tokenizer;
  readonly #limits: TokenLimits;
  readonly #prompts = new Map<string, Prompt>();

  constructor(scorer: GenerationScorer, tokenizer: Tokenizer, limits: TokenLimits) {
    this.#scorer = scorer;
    this.#tokenizer = tokenizer;
    this.#limits = limits;
  }

  /** Tokenises rows ahead of their evaluation, so that one that cannot be scored is a UserError at once. */
  async prepare(rows: readonly TaskRow[]): Promise<void> {
    let lastTurn = performance.now();
    for (const row of rows) {
      this.#promptOf(row);
      if (performance.now() - lastTurn < TURN_MS) continue;
      await setImmediate();
      lastTurn = performance.now();
    }
  }

  /** One evaluation a recipe; all of them see the same rows in the same batches. */
  async evaluate(recipes: readonly Recipe[], selection: Selection, options: ScoreOptions = {}): Promise<Evaluation[]> {
    const rows = Object.values(selection).flat();
    const prompts = rows.map((row) => this.#promptOf(row));
    const { logLikelihoods, digest } = await this.#scorer.score(recipes, prompts, options);
    return logLikelihoods.map((byPrompt, candidate): Evaluation => {
      let next = 0;
      const scores = Object.entries(selection).map(([task, own]): [string, RowScore[]] => [
        task,
        own.map((row) => scoreRow(row, [...(byPrompt[next++] ?? [])])),
      ]);
      return {
        scores: Object.fromEntries(scores),
        ...(digest !== undefined && candidate === options.digestOf && { digest }),
      };
    });
  }

  #promptOf(row: TaskRow): Prompt {
    const prompt = this.#prompts.get(row.id) ?? promptOf(row, this.#tokenizer, this.#limits);
    this.#prompts.set(row.id, prompt);
    return prompt;
  }
}
