import { rowLoss, type ScoredRow } from "../tasks/row-loss.ts";
import type { LossRow } from "./differentiate.ts";
import { inPromptOrder, inRowOrder, type RowPrompts } from "./prompt.ts";

/** What a row adds to a sum of losses, as data. */
export interface LossTerm {
  readonly row: ScoredRow;
  /** What its loss is multiplied by, under all recipes or under each. */
  readonly weight: number | readonly number[];
  /** For each of its prompts, which of the row's continuations it has. */
  readonly continuations: RowPrompts["continuations"];
}

/** A row whose loss is known as data, too. */
export interface TermRow extends LossRow {
  readonly term: LossTerm;
}

/** A term with the prompts of its row. */
export function termRow(prompts: RowPrompts["prompts"], term: LossTerm): TermRow {
  const { derivative } = rowLoss(term.row);
  return {
    prompts,
    term,
    derivative: (values, candidate) => {
      const weight = typeof term.weight === "number" ? term.weight : (term.weight[candidate] ?? Number.NaN);
      return inPromptOrder(
        term,
        derivative(inRowOrder(term, values)).map((slope) => weight * slope),
      );
    },
  };
}
