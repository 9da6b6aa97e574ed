import { UserError } from "../errors.ts";
import { spanOfLength, type Model } from "../model/architecture.ts";
import type { TokenRow } from "../model/tokenizer/tokenizer.ts";
import { quoteRow, type TaskRow } from "../tasks/rows.ts";
import type { Prompt } from "./pack.ts";

/** What a model can read. */
export type TokenLimits = Pick<Model, "encoding" | "maxLength" | "vocabularySize" | "spans">;

/** A tokenised row as the scorer takes it. */
export interface RowPrompts {
  /**
   * One where all continuations fit behind the whole context; otherwise those that leave the same part of it share one. So do
   * those whose sequences are in one span of the model's lengths.
   */
  readonly prompts: readonly Prompt[];
  /** For each prompt, which of the row's continuations it has. */
  readonly continuations: readonly (readonly number[])[];
  /** Whether a continuation loses the beginning of its context. */
  readonly isCut: boolean;
}

/**
 * What the scorer is given of a tokenised row. As in lm_eval, each continuation keeps the end of the context that the model
 * has room for before it; an encoder reads as much for all of them. A row that the model cannot score is a UserError.
 */
export function promptsOf(
  row: TaskRow,
  { context, continuations }: TokenRow,
  { encoding, maxLength, vocabularySize, spans }: TokenLimits,
): RowPrompts {
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
  if (encoding) return promptsOfPair(row, { context, continuations }, { encoding, maxLength });
  // A continuation's last token is only predicted, so it needs no position.
  const lost = continuations.map(({ length }) => Math.max(0, context.length + length - 1 - maxLength));
  if (lost.some((tokens) => tokens >= context.length)) {
    throw new UserError(
      `${quoteRow(row)}: its answers take more than the model's ${maxLength} positions; remove the row`,
    );
  }
  const sharing = continuations.map(({ length }, i) => {
    const cut = lost[i] ?? 0;
    return `${cut} ${spanOfLength(spans, context.length - cut + length - 1)}`;
  });
  const members = [...new Set(sharing)].map((each) => [...sharing.keys()].filter((i) => sharing[i] === each));
  return {
    prompts: members.map((own) => ({
      context: context.subarray(lost[own[0]!]),
      continuations: own.map((member) => continuations[member]!),
    })),
    continuations: members,
    isCut: lost.some((cut) => cut > 0),
  };
}

/** One prompt, since the encoder reads the context alone. */
function promptsOfPair(
  row: TaskRow,
  { context, continuations }: TokenRow,
  { encoding, maxLength }: Required<Pick<TokenLimits, "encoding" | "maxLength">>,
): RowPrompts {
  const longest = Math.max(...continuations.map(({ length }) => length));
  if (longest > maxLength) {
    throw new UserError(
      `${quoteRow(row)}: an answer takes ${longest} tokens, more than the model's window of ${maxLength}; remove the row`,
    );
  }
  const source = context.subarray(-maxLength);
  return {
    prompts: [{ source, context: Int32Array.of(encoding.startToken), continuations }],
    continuations: [[...continuations.keys()]],
    isCut: context.length > maxLength,
  };
}

/** The values of a row's continuations, in their order, from those of its prompts. */
export function inRowOrder(
  { continuations }: Pick<RowPrompts, "continuations">,
  values: readonly ArrayLike<number>[],
): number[] {
  const ordered: number[] = [];
  for (const [i, members] of continuations.entries())
    for (const [j, member] of members.entries()) ordered[member] = values[i]?.[j] ?? NaN;
  return ordered;
}

/** The values of each of a row's prompts, from those of its continuations in the row's order. */
export function inPromptOrder(
  { continuations }: Pick<RowPrompts, "continuations">,
  values: readonly number[],
): number[][] {
  return continuations.map((members) => members.map((member) => values[member] ?? NaN));
}
