import { sameBits } from "../../tensor/float64.ts";
import type { SearchState } from "../search/search-state.ts";
import { frontKindOf, generationKind } from "../estimates/search-kind.ts";
import type { Session } from "../session/session.ts";

/** A point that competes for the winner, on more rows than generations meet. */
export interface Finalist {
  readonly name: string;
  readonly point: Float64Array;
}

/**
 * The last mean, and means of the last five and of the later half, which the noise of single generations moves less; the last
 * five points of a walk are nearly one. A search that has begun again has converged to its mean, and has rivals of it. Of a front there are the
 * same for each walk, or else what has the least combined loss and the front's members: first the ends, then those with the most room around them.
 */
export function recommendations(session: Session, search: SearchState): readonly Finalist[] {
  const {
    means,
    fronts,
    optimizer: { restart },
  } = search;
  const front = frontKindOf(session);
  if (front === "survivors") {
    const best = means.slice(-1).map((point) => ({ name: "best so far", point }));
    const others = (fronts.at(-1) ?? []).filter((point) => best.every((one) => !sameBits(one.point, point)));
    return [...best, ...others.map((point, i) => ({ name: `survivor ${i + 1}`, point }))];
  }
  if (restart) {
    const rivals = restart.rivals.map((point, i) => ({ name: `rival ${i + 1}`, point }));
    return [...means.slice(-1).map((point) => ({ name: "best mean", point })), ...rivals];
  }
  const half = Math.ceil(means.length / 2);
  const { usesGradients } = generationKind(session);
  const wanted = usesGradients ? [1, half, Math.ceil(half / 2)] : [1, 5, half];
  const spans = new Set(wanted.map((span) => Math.min(span, means.length)));
  spans.delete(0);
  const one = usesGradients ? "point" : "mean";
  const named = (span: number): string => (span === 1 ? `last ${one}` : `mean of the last ${span}`);
  if (!front) return Array.from(spans, (span) => ({ name: named(span), point: average(means.slice(-span)) }));
  return Array.from(spans).flatMap((span) =>
    (fronts[0] ?? []).map((_, walk) => ({
      name: `walk ${walk + 1}, ${named(span)}`,
      point: average(fronts.slice(-span).flatMap((points) => points[walk] ?? [])),
    })),
  );
}

function average(points: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array()] = points;
  return first.map((_, i) => points.reduce((sum, point) => sum + (point[i] ?? 0), 0) / points.length);
}
