import type { RandomStream } from "../tensor/random.ts";
import type { TaskRow } from "./rows.ts";

/**
 * One task's rows in a random order of which every beginning is stratified: each label of choice rows, or each third of
 * text rows by length, has its share of it to within one row. So rows that were scored stay part of any larger number.
 */
export function stratifiedOrder(rows: readonly TaskRow[], stream: RandomStream): TaskRow[] {
  const stratum = stratumOf(rows);
  const shuffled = stream.shuffle([...rows.keys()]);
  const members = new Map<number, number[]>();
  for (const index of shuffled) {
    const own = members.get(stratum(index));
    if (own) own.push(index);
    else members.set(stratum(index), [index]);
  }
  // Each stratum is spread evenly over the whole order, from a beginning of its own.
  const place = new Map<number, number>();
  for (const [, own] of [...members].toSorted(([a], [b]) => a - b)) {
    const offset = stream.uniform();
    for (const [rank, index] of own.entries()) place.set(index, (rank + offset) / own.length);
  }
  return shuffled.toSorted((a, b) => (place.get(a) ?? 0) - (place.get(b) ?? 0)).flatMap((index) => rows[index] ?? []);
}

/** Stratum of the row at an index. */
function stratumOf(rows: readonly TaskRow[]): (index: number) => number {
  if (rows.every(({ kind }) => kind === "choice")) return (index) => rows[index]?.label ?? 0;
  const byLength = rows
    .map((row, index) => ({ index, length: row.context.length }))
    .toSorted((a, b) => a.length - b.length);
  const thirds = new Map(byLength.map(({ index }, rank) => [index, Math.floor((3 * rank) / rows.length)]));
  return (index) => thirds.get(index) ?? 0;
}
