/** Which sequences share a batch. */

/**
 * Token pairs of a batch, which are the elements of a mask; attention holds as many scores for each head, 1 GiB of f32
 * for 32 heads.
 */
const MAX_PAIRS = 2 ** 23;

/** The elements of a CPU's widest vector: ggml's sums over other numbers of them take twice as long. */
const VECTOR = 16;

/** Sequences of one batch, by their indices, and what each of their lengths is padded to. */
export interface BatchLayout {
  readonly members: readonly number[];
  readonly lengths: readonly number[];
}

/** The least number that is no less and makes whole vectors, for whatever products sum over. */
export function wholeVectors(count: number): number {
  return VECTOR * Math.ceil(count / VECTOR);
}

/**
 * Lays out sequences, longest first, in batches of at most `batchTokens` padded tokens, or one sequence. A sequence has one
 * length, or several that are padded apart, of the same number for each. Those of a group share a batch; a group for which one
 * is too small has batches of its own, which are given in one list.
 */
export function layOutBatches(
  groups: readonly (readonly number[])[],
  lengths: readonly (readonly number[])[],
  batchTokens: number,
): BatchLayout[][] {
  const longest = groups.map((group) => group.map((index) => lengths[index]!).reduce(longestOf));
  const longestFirst = [...groups.keys()].toSorted((a, b) => sumOf(longest[b]!) - sumOf(longest[a]!) || a - b);
  const lists: BatchLayout[][] = [];
  for (let start = 0; start < longestFirst.length;) {
    const first = longestFirst[start]!;
    let padded = longest[first]!.map(wholeVectors);
    const members: number[] = [];
    let end = start;
    for (; end < longestFirst.length; end += 1) {
      const next = longestFirst[end]!;
      const grown = longestOf(padded, longest[next]!.map(wholeVectors));
      if (!fits(members.length + groups[next]!.length, sumOf(grown), batchTokens)) break;
      members.push(...groups[next]!);
      padded = grown;
    }
    const alone = (): BatchLayout[][] =>
      layOutBatches(
        groups[first]!.map((index) => [index]),
        lengths,
        batchTokens,
      );
    lists.push(end > start ? [{ members, lengths: padded }] : alone().flat());
    start = Math.max(end, start + 1);
  }
  return lists;
}

function fits(sequences: number, length: number, batchTokens: number): boolean {
  return sequences <= 1 || (sequences * length <= batchTokens && sequences * length ** 2 <= MAX_PAIRS);
}

function longestOf(lengths: readonly number[], others: readonly number[]): number[] {
  return lengths.map((length, i) => Math.max(length, others[i]!));
}

function sumOf(lengths: readonly number[]): number {
  return lengths.reduce((sum, length) => sum + length, 0);
}
