import type { RandomStream } from "../tensor/random.ts";
import type { TaskRow } from "./rows.ts";

/**
 * A random `fraction` in (0, 1] of one task's rows, at least one, in the order given. Each label of choice rows, or each
 * third of text rows by length, gets its share to within one row, and each row is equally likely to be taken.
 */
export function stratifiedSubset(rows: readonly TaskRow[], fraction: number, stream: RandomStream): TaskRow[] {
  const size = Math.min(rows.length, Math.max(1, Math.round(fraction * rows.length)));
  const stratum = stratumOf(rows);
  // Sorting is stable: within its stratum each row stays where the shuffle put it.
  const ordered = stream.shuffle([...rows.keys()]).toSorted((a, b) => stratum(a) - stratum(b));
  // Systematic sampling (Cochran 1977, chapter 8) in integers: steps of rows.length / size from a random start.
  const start = stream.integer(rows.length);
  const taken = new Set(Array.from({ length: size }, (_, i) => ordered[Math.floor((start + i * rows.length) / size)]));
  return rows.filter((_, index) => taken.has(index));
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
