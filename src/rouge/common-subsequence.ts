/** Length of the longest common subsequence of two lists. */
export function commonLength(a: readonly string[], b: readonly string[]): number {
  return lengthsOf(a, b)(a.length, b.length);
}

/** The indices in `a` of a longest common subsequence: of several the one that rouge_score reads out of its table. */
export function commonIndices(a: readonly string[], b: readonly string[]): number[] {
  const length = lengthsOf(a, b);
  const indices: number[] = [];
  for (let [i, j] = [a.length, b.length]; i > 0 && j > 0;) {
    if (a[i - 1] === b[j - 1]) {
      indices.push(i - 1);
      i -= 1;
      j -= 1;
    } else if (length(i, j - 1) > length(i - 1, j)) j -= 1;
    else i -= 1;
  }
  return indices.toReversed();
}

/** The length for the first i of `a` and the first j of `b`. */
function lengthsOf(a: readonly string[], b: readonly string[]): (i: number, j: number) => number {
  const width = b.length + 1;
  const table = new Uint32Array((a.length + 1) * width);
  const length = (i: number, j: number): number => table[i * width + j] ?? 0;
  for (let i = 1; i <= a.length; i += 1) {
    for (let j = 1; j <= b.length; j += 1) {
      const isSame = a[i - 1] === b[j - 1];
      table[i * width + j] = isSame ? length(i - 1, j - 1) + 1 : Math.max(length(i - 1, j), length(i, j - 1));
    }
  }
  return length;
}
