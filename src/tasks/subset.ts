import type { RandomStream } from "../tensor/random.ts";
import type { TaskRow } from "./rows.ts";

/**
 * A random `fraction` in (0, 1] of one task's rows, at least one, in the order given, each row equally likely to be taken:
 * plain means over it are unbiased. Rows are ordered by label, if they are choices, and by length, and about one is taken of
 * every so many neighbours: each label gets its share to within one row, and draws cost nearly the same, however long
 * the longest rows are.
 *
 * Taking short rows more often, by the inverse root of their cost, and weighting them less (Cochran 1977, 5.5) saves
 * 1 - (E cost^1/2)^2 / E cost where losses scatter alike at all lengths: 12 % on 200 rows of XSum, 1 % on 500 of CosmosQA. That
 * is too little to weight every mean of a run for it; what was measured is in bench/RESULTS.md, "Rows of a generation".
 */
export function stratifiedSubset(rows: readonly TaskRow[], fraction: number, stream: RandomStream): TaskRow[] {
  const size = Math.min(rows.length, Math.max(1, Math.round(fraction * rows.length)));
  const strata = strataOf(rows, size);
  // Sorting is stable: within its stratum each row stays where the shuffle put it.
  const ordered = stream.shuffle([...rows.keys()]).toSorted((a, b) => (strata[a] ?? 0) - (strata[b] ?? 0));
  // Systematic sampling (Cochran 1977, chapter 8) in integers: steps of rows.length / size from a random start.
  const start = stream.integer(rows.length);
  const taken = new Set(Array.from({ length: size }, (_, i) => ordered[Math.floor((start + i * rows.length) / size)]));
  return rows.filter((_, index) => taken.has(index));
}

/** Stratum of each row: neighbours in length, of one label if they are choices, `count` of them and a few where labels meet. */
function strataOf(rows: readonly TaskRow[], count: number): number[] {
  const strata = Array.from(rows, () => 0);
  const ranked = rows.map((row, index) => ({
    index,
    label: row.kind === "choice" ? row.label : 0,
    length: lengthOf(row),
  }));
  // There and back, so that where labels meet, rows are of about one length too.
  ranked.sort((a, b) => a.label - b.label || (a.label % 2 === 0 ? a.length - b.length : b.length - a.length));
  ranked.forEach(({ index, label }, rank) => {
    strata[index] = label * count + Math.floor((rank * count) / rows.length);
  });
  return strata;
}

/** Characters, which tokens, and so the cost, go with. */
function lengthOf({ context, continuations }: TaskRow): number {
  return continuations.reduce((length, { length: own }) => length + own, context.length);
}
