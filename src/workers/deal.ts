/** How a scoring is dealt to several workers. */
import { evenParts } from "../evaluate/fitting.ts";

/** Some candidates on some of the batches, in their order. */
export interface Share {
  readonly candidates: readonly number[];
  readonly batches: readonly number[];
}

/**
 * Shares of whole candidates for each worker, where the fastest was so many times faster than the slowest. In a second share it
 * does what that would hold up; one that is less than twice as fast finds none left, since all have taken their second by then.
 */
export function roundsFor(spread: number): number {
  return spread < 2 ? 1 : 2;
}

/**
 * Deals so many candidates on batches of so many tokens in so many rounds. A worker packs its prompts, merges each of its
 * candidates and reads all parents for each share, so shares are few, and candidates are whole; those that are left over when
 * each worker has as many are divided by batches. The longest come first.
 */
export function dealShares(candidates: number, tokens: readonly number[], workers: number, rounds: number): Share[] {
  const all = [...tokens.keys()];
  const left = candidates % workers;
  const whole = candidates - left;
  // One that is alone has nobody to wait for.
  const groups = whole === 0 ? [] : evenParts(whole, workers === 1 ? 1 : Math.min(whole, rounds * workers));
  const rest = Array.from({ length: left }, (_, i) => whole + i);
  return [
    ...groups.toSorted((a, b) => b.length - a.length).map((own) => ({ candidates: own, batches: all })),
    ...(left === 0 ? [] : runsOf(tokens, workers).map((batches) => ({ candidates: rest, batches }))),
  ];
}

/** The indices of weights in at most `parts` runs of nearly equal weight, none of them empty. */
function runsOf(weights: readonly number[], parts: number): number[][] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const runs: number[][] = Array.from({ length: parts }, () => []);
  let before = 0;
  for (const [i, weight] of weights.entries()) {
    // By the middle of each, so that none is a part too early or too late.
    runs[Math.min(parts - 1, Math.floor((parts * (before + weight / 2)) / total))]!.push(i);
    before += weight;
  }
  return runs.filter(({ length }) => length > 0);
}
