import { UserError } from "../errors.ts";
import type { Tokenizer } from "../model/tokenizer.ts";
import type { TaskRow } from "../tasks/rows.ts";
import type { Prompt } from "./pack.ts";

/**
 * Tokenises a row. A context that leaves no room for the continuations loses tokens at its start, as in lm_eval; the
 * shared context is what the token sequences of all continuations have in common.
 */
export function promptOf(row: TaskRow, tokenizer: Tokenizer, maxLength: number): Prompt {
  const pairs = row.continuations.map((continuation) => tokenizer.encodePair(row.context, continuation));
  const [first] = pairs;
  if (!first || pairs.some(({ context, continuation }) => context.length === 0 || continuation.length === 0)) {
    throw new UserError(`row ${row.id}: expected at least one token of context and of each answer; change the row`);
  }
  const continuations = pairs.map(({ continuation }) => continuation);
  const longest = Math.max(...continuations.map(({ length }) => length));
  // A continuation's last token is only predicted, so it needs no position.
  const overflow = Math.max(0, first.context.length + longest - 1 - maxLength);
  if (overflow >= first.context.length) {
    throw new UserError(`row ${row.id}: its answers take more than the model's ${maxLength} positions; remove the row`);
  }
  return { context: first.context.subarray(overflow), continuations };
}
