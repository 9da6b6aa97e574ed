/**
 * What several losses say of candidates when none of them counts more than another. A candidate of which any loss is not finite has
 * failed: all others dominate it, and it dominates none.
 * @module
 */

/** Of one candidate, one number for each objective. */
export type Losses = readonly number[];

/** Whether `a` is nowhere worse than `b`, and somewhere better. */
export function dominates(a: Losses, b: Losses): boolean {
  if (!a.every(Number.isFinite)) return false;
  if (!b.every(Number.isFinite)) return true;
  return a.every((loss, i) => loss <= b[i]!) && a.some((loss, i) => loss < b[i]!);
}

/**
 * Fast non-dominated sorting (Deb et al. 2002, doi:10.1109/4235.996017, section III-A): indices by front, of which the first is
 * dominated by none, the second by candidates of the first alone, and so on. Within a front they keep their order.
 */
export function frontsOf(all: readonly Losses[]): number[][] {
  const dominated = all.map((own) => indicesOf(all, (other) => dominates(own, other)));
  const dominators = all.map(() => 0);
  for (const i of dominated.flat()) dominators[i]! += 1;
  const fronts: number[][] = [];
  let front = indicesOf(dominators, (count) => count === 0);
  while (front.length > 0) {
    fronts.push(front);
    const next: number[] = [];
    for (const i of front) {
      for (const j of dominated[i]!) if (--dominators[j]! === 0) next.push(j);
    }
    front = next.toSorted((a, b) => a - b);
  }
  return fronts;
}

/**
 * The crowding distance of each (section III-B): over the objectives, the distance between its neighbours as a part of the range.
 * Infinite at the ends of an objective; of equal candidates the first one alone counts, and the others have 0.
 */
export function crowdingOf(all: readonly Losses[]): number[] {
  const distances = all.map(() => 0);
  const different = indicesOf(all, (own, i) => all.findIndex((other) => isSame(own, other)) === i);
  for (const objective of (all[0] ?? []).keys()) {
    const lossOf = (i: number): number => all[i]![objective]!;
    const sorted = different.toSorted((a, b) => lossOf(a) - lossOf(b));
    const [first, last] = [sorted[0], sorted.at(-1)];
    if (first === undefined || last === undefined) continue;
    distances[first] = distances[last] = Infinity;
    const range = lossOf(last) - lossOf(first);
    if (!(range > 0)) continue;
    for (const [rank, i] of sorted.slice(1, -1).entries()) {
      distances[i]! += (lossOf(sorted[rank + 2]!) - lossOf(sorted[rank]!)) / range;
    }
  }
  return distances;
}

function isSame(a: Losses, b: Losses): boolean {
  return a.every((loss, i) => Object.is(loss, b[i]));
}

function indicesOf<T>(all: readonly T[], holds: (one: T, index: number) => boolean): number[] {
  return [...all.keys()].filter((i) => holds(all[i]!, i));
}
