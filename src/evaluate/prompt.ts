import { UserError } from "../errors.ts";
import type { Model } from "../model/architecture.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import { quoteRow, type TaskRow } from "../tasks/rows.ts";
import type { Prompt } from "./pack.ts";

/** What a model can read. */
export type TokenLimits = Pick<Model, "maxLength" | "vocabularySize">;

/**
 * Tokenises a row. A context that leaves no room for the continuations loses tokens at its start, as in lm_eval; the
 * shared context is what the token sequences of all continuations have in common. A row that the model cannot score is a
 * UserError.
 */
export function promptOf(row: TaskRow, tokenizer: Tokenizer, { maxLength, vocabularySize }: TokenLimits): Prompt {
  const pairs = row.continuations.map((continuation) => tokenizer.encodePair(row.context, continuation));
  const [first] = pairs;
  if (!first || pairs.some(({ context, continuation }) => context.length === 0 || continuation.length === 0)) {
    throw new UserError(`${quoteRow(row)}: expected at least one token of context and of each answer; change the row`);
  }
  const continuations = pairs.map(({ continuation }) => continuation);
  const unknown = pairs.flatMap((pair) => [...pair.context, ...pair.continuation]).find((id) => id >= vocabularySize);
  if (unknown !== undefined) {
    throw new UserError(
      `${quoteRow(row)}: its token ${unknown} is not among the model's ${vocabularySize} embeddings; the tokenizer is another model's`,
    );
  }
  const longest = Math.max(...continuations.map(({ length }) => length));
  // A continuation's last token is only predicted, so it needs no position.
  const overflow = Math.max(0, first.context.length + longest - 1 - maxLength);
  if (overflow >= first.context.length) {
    throw new UserError(
      `${quoteRow(row)}: its answers take more than the model's ${maxLength} positions; remove the row`,
    );
  }
  return { context: first.context.subarray(overflow), continuations };
}
