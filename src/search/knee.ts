import type { Losses } from "./pareto.ts";

/**
 * Index of the knee of a front: where the sum of the losses is least, each scaled from 0 at the best on the front to 1 at the worst. Of two
 * objectives it is the one farthest from the line through the ends, towards less loss (Das 1999, "On characterizing the knee of the
 * Pareto curve based on normal-boundary intersection"). The first of several; undefined of an empty front.
 */
export function kneeOf(front: readonly Losses[]): number | undefined {
  const sums = front.map(() => 0);
  for (const objective of (front[0] ?? []).keys()) {
    const losses = front.map((own) => own[objective]!);
    const least = Math.min(...losses);
    const range = Math.max(...losses) - least;
    if (range > 0) for (const [i, loss] of losses.entries()) sums[i]! += (loss - least) / range;
  }
  return sums.length === 0 ? undefined : sums.indexOf(Math.min(...sums));
}
