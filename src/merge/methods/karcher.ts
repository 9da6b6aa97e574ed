import { arccosine, cosine, sine } from "../../tensor/elementary.ts";

/** When the mean is near enough. */
export interface KarcherLimits {
  /** Steps towards it at most. */
  readonly steps: number;
  /** The length of a step, and an angle, that count for nothing. */
  readonly tolerance: number;
}

/**
 * The factors of vectors whose sum is their Karcher mean on the sphere, at the mean of their lengths; `products` has their
 * inner products. Every iterate is a combination of the vectors, so that nothing but its factors is computed. Vectors of
 * length 0 have no direction, and count for the length alone.
 */
export function karcherFactors(
  products: readonly (readonly number[])[],
  { steps, tolerance }: KarcherLimits,
): number[] {
  const lengths = products.map((row, i) => Math.sqrt(row[i] ?? Number.NaN));
  const inner = (x: readonly number[], y: readonly number[]): number =>
    x.reduce((sum, a, i) => sum + a * y.reduce((own, b, j) => own + b * products[i]![j]!, 0), 0);
  const scaled = (x: readonly number[]): number[] => {
    const length = Math.sqrt(Math.max(0, inner(x, x)));
    return x.map((a) => a / length);
  };
  const count = lengths.filter((length) => length > 0).length;
  const share = 1 / count;
  const units = lengths.flatMap((length, i) => (length > 0 ? [lengths.map((_, j) => (i === j ? 1 / length : 0))] : []));
  const [first] = units;
  if (!first) return lengths.map(() => 1 / lengths.length);
  const mean = first.map((_, i) => units.reduce((sum, unit) => sum + share * unit[i]!, 0));
  let at = inner(mean, mean) <= tolerance ** 2 ? first : scaled(mean);
  for (let taken = 0; taken < steps; taken += 1) {
    const tangent = at.map(() => 0);
    for (const unit of units) {
      const cos = Math.min(1, Math.max(-1, inner(at, unit)));
      const angle = arccosine(cos);
      if (angle <= tolerance) continue;
      for (const i of tangent.keys()) tangent[i]! += ((share * angle) / sine(angle)) * (unit[i]! - cos * at[i]!);
    }
    const step = Math.sqrt(Math.max(0, inner(tangent, tangent)));
    if (step <= tolerance) break;
    at = scaled(at.map((own, i) => cosine(step) * own + sine(step) * (tangent[i]! / step)));
  }
  const length = lengths.reduce((sum, own) => sum + own, 0) / lengths.length;
  return at.map((own) => length * own);
}
