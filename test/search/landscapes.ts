import type { Candidate, Optimizer, Score } from "../../src/search/optimizer.ts";
import type { Loss } from "./test-functions.ts";

/** A function to minimise over the unit cube, and its derivatives. */
export interface Landscape {
  readonly loss: Loss;
  readonly gradient: (x: Float64Array) => Float64Array;
}

/** Euclidean distance to the point whose coordinates all are `target`. */
export function distanceTo(target: number): Landscape {
  const loss: Loss = (x) => Math.sqrt(x.reduce((sum, value) => sum + (value - target) ** 2, 0));
  return { loss, gradient: (x) => x.map((value) => (value - target) / (loss(x) || 1)) };
}

/** `landscape`, but every loss goes through `change`; derivatives stay what they were. */
export function withLoss(landscape: Landscape, change: (loss: number, x: Float64Array) => number): Landscape {
  return { ...landscape, loss: (x) => change(landscape.loss(x), x) };
}

/** Scores a generation, with gradients where they are wanted. */
export function scoresOf(candidates: readonly Candidate[], { loss, gradient }: Landscape): Score[] {
  return candidates.map(({ point, wantsGradient }) => ({
    loss: loss(point),
    ...(wantsGradient && { gradient: gradient(point) }),
  }));
}

/** Everything asked in `generations` generations, with which the search is spent. */
export function run(optimizer: Optimizer, landscape: Landscape, generations: number): (readonly Candidate[])[] {
  return Array.from({ length: generations }, (_, generation) => {
    const candidates = optimizer.ask();
    optimizer.tell(scoresOf(candidates, landscape), (generation + 1) / generations);
    return candidates;
  });
}
