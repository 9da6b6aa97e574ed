/** How many tokens batches have, with their padding. */

/** What a batch's size depends on, here or on a device. */
interface BatchSize {
  readonly sequences: number;
  readonly length: number;
  readonly source?: { readonly length: number };
}

/** Tokens of a batch with its padding. */
export function paddedTokens({ sequences, length, source }: BatchSize): number {
  return sequences * (length + (source?.length ?? 0));
}

/** Tokens of several, with their padding. */
export function totalTokens(batches: readonly BatchSize[]): number {
  return batches.reduce((sum, batch) => sum + paddedTokens(batch), 0);
}

/** The first of the batches that have at most `tokens` padded tokens together, or one batch. */
export function firstBatches<Batch extends BatchSize>(batches: readonly Batch[], tokens: number): readonly Batch[] {
  let room = tokens;
  const end = batches.findIndex((batch) => (room -= paddedTokens(batch)) < 0);
  return batches.slice(0, end === -1 ? batches.length : Math.max(1, end));
}
