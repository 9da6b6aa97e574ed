import { sampleCorrelation } from "simple-statistics";

/** Ranks from the least, those of equals their mean. */
export function ranksOf(numbers: readonly number[]): number[] {
  const order = [...numbers.keys()].toSorted((a, b) => numbers[a]! - numbers[b]!);
  const ranks = numbers.map(() => 0);
  for (let start = 0, end = 0; start < order.length; start = end) {
    while (end < order.length && numbers[order[end]!] === numbers[order[start]!]) end++;
    for (const place of order.slice(start, end)) ranks[place] = (start + end - 1) / 2;
  }
  return ranks;
}

/** Spearman's correlation. */
export function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  return sampleCorrelation(ranksOf(a), ranksOf(b));
}
