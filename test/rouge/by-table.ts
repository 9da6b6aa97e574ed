/** As rouge_score does it: the whole table of lengths, read from its end. */
export function byTable(a: readonly string[], b: readonly string[]): number[] {
  const table = [Array.from({ length: b.length + 1 }, () => 0)];
  for (const word of a) {
    const [above, row] = [table.at(-1)!, [0]];
    for (const [j, other] of b.entries()) row.push(word === other ? above[j]! + 1 : Math.max(above[j + 1]!, row[j]!));
    table.push(row);
  }
  const indices: number[] = [];
  for (let [i, j] = [a.length, b.length]; i > 0 && j > 0;) {
    if (a[i - 1] === b[j - 1]) {
      indices.unshift((i -= 1));
      j -= 1;
    } else if (table[i]![j - 1]! > table[i - 1]![j]!) j -= 1;
    else i -= 1;
  }
  return indices;
}
