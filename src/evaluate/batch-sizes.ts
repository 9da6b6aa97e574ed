/** How many tokens batches have: with their padding, as attention holds them, and as layers compute them. */
import { placedTokens } from "./place-tokens.ts";

/** What a batch's size depends on. */
interface BatchSize {
  readonly sequences: number;
  readonly length: number;
  /** Tokens of each sequence. */
  readonly counts: readonly number[];
  readonly source?: { readonly length: number };
}

/** Tokens of a batch with its padding: memory is reckoned by these. */
export function paddedTokens({ sequences, length, source }: Omit<BatchSize, "counts">): number {
  return sequences * (length + (source?.length ?? 0));
}

/** Those that layers compute, all of them in a model with an encoder: time is reckoned by these. */
export function computedTokens({ counts, ...batch }: BatchSize): number {
  const places = paddedTokens(batch);
  return batch.source ? places : placedTokens(sum(counts), places);
}

/** Tokens of several batches, counted in one of these ways. */
export function totalTokens<Batch>(batches: readonly Batch[], tokensOf: (batch: Batch) => number): number {
  return sum(batches.map(tokensOf));
}

/** The first of the batches that together have no more tokens than that, in either way, or one batch. */
export function firstBatches<Batch extends BatchSize>(
  batches: readonly Batch[],
  most: Readonly<Record<"padded" | "computed", number>>,
): readonly Batch[] {
  let { padded, computed } = most;
  const end = batches.findIndex((batch) => {
    padded -= paddedTokens(batch);
    computed -= computedTokens(batch);
    return padded < 0 || computed < 0;
  });
  return batches.slice(0, end === -1 ? batches.length : Math.max(1, end));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
