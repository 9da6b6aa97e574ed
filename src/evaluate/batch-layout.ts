/** Which sequences share a batch. */

/**
 * Token pairs of a batch, which are the elements of a mask; attention holds as many scores for each head, 1 GiB of f32
 * for 32 heads.
 */
const MAX_PAIRS = 2 ** 23;

/** The elements of a CPU's widest vector: ggml's sums over other numbers of them take twice as long. */
const VECTOR = 16;

/** Sequences of one batch, by their indices, and the length that they are padded to. */
export interface BatchLayout {
  readonly members: readonly number[];
  readonly length: number;
}

/** The least number that is no less and makes whole vectors, for whatever products sum over. */
export function wholeVectors(count: number): number {
  return VECTOR * Math.ceil(count / VECTOR);
}

/**
 * Lays out sequences of such lengths, longest first, in batches of at most `batchTokens` padded tokens, or one sequence. Those
 * of a group share a batch; a group for which one is too small has batches of its own, which are given in one list.
 */
export function layOutBatches(
  groups: readonly (readonly number[])[],
  lengths: readonly number[],
  batchTokens: number,
): BatchLayout[][] {
  const longest = groups.map((group) => group.reduce((most, index) => Math.max(most, lengths[index]!), 0));
  const longestFirst = [...groups.keys()].toSorted((a, b) => longest[b]! - longest[a]! || a - b);
  const lists: BatchLayout[][] = [];
  for (let start = 0; start < longestFirst.length;) {
    const first = longestFirst[start]!;
    const length = wholeVectors(longest[first]!);
    const room = Math.max(1, Math.floor(Math.min(batchTokens / length, MAX_PAIRS / length ** 2)));
    const members: number[] = [];
    let end = start;
    while (end < longestFirst.length && members.length + groups[longestFirst[end]!]!.length <= room)
      members.push(...groups[longestFirst[end++]!]!);
    const alone = (): BatchLayout[][] =>
      layOutBatches(
        groups[first]!.map((index) => [index]),
        lengths,
        batchTokens,
      );
    lists.push(end > start ? [{ members, length }] : alone().flat());
    start = Math.max(end, start + 1);
  }
  return lists;
}
