/** Rows drawn by how much they say, and weighed by the inverse of their chance. */
import { mean, standardDeviation } from "simple-statistics";
import type { RandomStream } from "../../src/tensor/random.ts";
import type { SearchRow } from "./problem.ts";

/** Indices of rows and what multiplies each one's value in the sum that estimates the sum over all. */
export type Draw = readonly { readonly index: number; readonly factor: number }[];

/** Part of a chance that is the same for all rows of a task. */
const EVEN = 0.25;

/**
 * Rows with a chance that goes with a wish and the inverse root of their cost, about one of each few neighbours in label and
 * length, for the cost of a part of them all.
 */
export function byChance(
  rows: readonly SearchRow[],
  wish: readonly number[],
  fraction: number,
): (stream: RandomStream) => Draw {
  const means = meansByTask(rows, new Map(wish.entries()));
  const raw = rows.map(({ task, part, tokens }, i) => {
    const evened = (1 - EVEN) * wish[i]! + EVEN * means.get(task)!;
    return (evened * part) / Math.sqrt(tokens);
  });
  const total = tokensOf(rows);
  let scale = 1;
  // Chances above 1 leave more for the others.
  for (let i = 0; i < 50; i += 1) {
    const cost = raw.reduce((sum, chance, j) => sum + Math.min(1, scale * chance) * rows[j]!.tokens, 0);
    scale *= (fraction * total) / cost;
  }
  const chances = raw.map((chance) => Math.min(1, scale * chance));
  const { ordered, strata } = neighbours(rows, chances);
  return (stream) => {
    const shuffled = stream.shuffle(ordered).toSorted((a, b) => strata.get(a)! - strata.get(b)!);
    const drawn: { index: number; factor: number }[] = [];
    let [next, passed] = [stream.uniform(), 0];
    for (const index of shuffled) {
      passed += chances[index]!;
      if (passed <= next) continue;
      drawn.push({ index, factor: rows[index]!.part / chances[index]! });
      next += 1;
    }
    return drawn;
  };
}

/** Standard deviation over the candidates, row by row. */
export function spreads(losses: readonly (readonly number[])[]): number[] {
  return losses[0]!.map((_, i) => standardDeviation(losses.map((own) => own[i]!)));
}

/** What is known of rows; of the others the mean of those of their task, 1 where none is known. */
export function filled(rows: readonly SearchRow[], known: ReadonlyMap<number, number>): number[] {
  const means = meansByTask(rows, known);
  return rows.map(({ task }, i) => known.get(i) ?? means.get(task) ?? 1);
}

function meansByTask(rows: readonly SearchRow[], known: ReadonlyMap<number, number>): Map<string, number> {
  const byTask = new Map<string, number[]>();
  for (const [index, value] of known) {
    const { task } = rows[index]!;
    byTask.set(task, [...(byTask.get(task) ?? []), value]);
  }
  return new Map(Array.from(byTask, ([task, own]) => [task, mean(own)]));
}

/** Tokens of rows, as layers compute them. */
export function tokensOf(rows: readonly SearchRow[]): number {
  return rows.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** Strata of neighbours in task, label and length, of each of which about one is drawn. */
function neighbours(
  rows: readonly SearchRow[],
  chances: readonly number[],
): { ordered: number[]; strata: Map<number, number> } {
  const tasks = [...new Set(rows.map(({ task }) => task))];
  const ordered = [...rows.keys()].toSorted((a, b) => {
    const [one, other] = [rows[a]!, rows[b]!];
    return (
      tasks.indexOf(one.task) - tasks.indexOf(other.task) || labelOf(one) - labelOf(other) || one.tokens - other.tokens
    );
  });
  const strata = new Map<number, number>();
  let before = 0;
  for (const index of ordered) {
    strata.set(index, Math.floor(before));
    before += chances[index]!;
  }
  return { ordered, strata };
}

function labelOf({ row }: SearchRow): number {
  return row.kind === "choice" ? row.label : 0;
}
