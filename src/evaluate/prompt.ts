import { UserError } from "../errors.ts";
import type { Model } from "../model/architecture.ts";
import type { TokenRow } from "../model/tokenizer/tokenizer.ts";
import { quoteRow, type TaskRow } from "../tasks/rows.ts";
import type { Prompt } from "./pack.ts";

/** What a model can read. */
export type TokenLimits = Pick<Model, "maxLength" | "vocabularySize">;

/**
 * What the scorer is given of a tokenised row. A context that leaves no room for the continuations loses tokens at its start, as in lm_eval; the
 * shared context is what the token sequences of all continuations have in common. A row that the model cannot score is a
 * UserError.
 */
export function promptOf(
  row: TaskRow,
  { context, continuations }: TokenRow,
  { maxLength, vocabularySize }: TokenLimits,
): Prompt {
  if (context.length === 0 || continuations.length === 0 || continuations.some(({ length }) => length === 0)) {
    throw new UserError(`${quoteRow(row)}: expected at least one token of context and of each answer; change the row`);
  }
  const isUnknown = (id: number): boolean => id >= vocabularySize;
  const unknown = [context, ...continuations].map((ids) => ids.find(isUnknown)).find((id) => id !== undefined);
  if (unknown !== undefined) {
    throw new UserError(
      `${quoteRow(row)}: its token ${unknown} is not among the model's ${vocabularySize} embeddings; the tokenizer is another model's`,
    );
  }
  const longest = Math.max(...continuations.map(({ length }) => length));
  // A continuation's last token is only predicted, so it needs no position.
  const overflow = Math.max(0, context.length + longest - 1 - maxLength);
  if (overflow >= context.length) {
    throw new UserError(
      `${quoteRow(row)}: its answers take more than the model's ${maxLength} positions; remove the row`,
    );
  }
  return { context: context.subarray(overflow), continuations };
}
