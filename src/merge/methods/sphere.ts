/** Combinations of vectors by their inner products alone, as factors of the vectors. */
import { arccosine, sine } from "../../tensor/elementary.ts";
import { Dual } from "../dual.ts";
import type { Gram } from "../../tensor/gram.ts";
import type { Combination } from "../combination.ts";

/** Inner products of the vectors that are merged, row by row. */
type Products = readonly (readonly number[])[];

const ZERO = new Dual(0);

/** Inner products of what the experts add to the base. */
export function productsOfDifferences(gram: Gram): Products {
  return gram.slice(1).map((row) => row.slice(1));
}

/** Inner products of the experts: <b + x, b + y> = <b, b> + <b, x> + <b, y> + <x, y>. */
export function productsOfExperts(gram: Gram): Products {
  const [[ofBase = Number.NaN, ...ofAdded] = []] = gram;
  return productsOfDifferences(gram).map((row, i) => row.map((own, j) => ofBase + ofAdded[i]! + ofAdded[j]! + own));
}

/** Sum of factor x expert. */
export function ofExperts(experts: readonly Dual[]): Combination {
  return { base: ZERO, experts };
}

/** Base + sum of factor x (expert - base). */
export function ofDifferences(experts: readonly Dual[]): Combination {
  return { base: new Dual(1).minus(Dual.sum(experts)), experts };
}

/** Weights as parts of their sum; equal ones where that is 0. */
export function weightShares(weights: readonly Dual[]): readonly Dual[] {
  const total = Dual.sum(weights);
  if (Math.abs(total.value) < 1e-6) return weights.map(() => new Dual(1 / weights.length));
  return weights.map((weight) => weight.over(total));
}

/** The factors of two vectors at the part t of the angle between them; in a straight line where that is told to be flat. */
export function onArc(products: Products, t: Dual, isFlat: (cos: number, sin: number) => boolean): [Dual, Dual] {
  const [[xx = 0, xy = 0] = [], [, yy = 0] = []] = products;
  const lengths = Math.sqrt(xx) * Math.sqrt(yy);
  const angle = arccosine(lengths > 0 ? xy / lengths : 1);
  const sin = sine(angle);
  const rest = new Dual(1).minus(t);
  if (lengths === 0 || isFlat(xy / lengths, sin)) return [rest, t];
  return [rest.times(angle).sine().over(sin), t.times(angle).sine().over(sin)];
}

/** On the arc from the first vector to the second, as far as the share of the second is of both weights. */
export function twoOnArc(products: Products, weights: readonly Dual[]): readonly Dual[] {
  return onArc(products, weightShares(weights)[1] ?? ZERO, (_, sin) => Math.abs(sin) < 1e-8);
}

/**
 * The weighted mean of directions, at the weighted mean of lengths. That is what the paper's way through the tangent space at
 * this direction comes to: there the weighted mean of the directions is the direction itself.
 */
export function meanDirection(products: Products, shares: readonly Dual[]): readonly Dual[] {
  const lengths = products.map((row, i) => Math.sqrt(row[i]!));
  const units = shares.map((share, i) => (lengths[i]! > 0 ? share.over(lengths[i]!) : ZERO));
  const square = Dual.sum(units.flatMap((x, i) => units.map((y, j) => x.times(y).times(products[i]![j]!))));
  // Opposite directions have no mean one.
  if (square.value < 1e-16) return shares;
  const scale = Dual.sum(shares.map((share, i) => share.times(lengths[i]!))).over(square.root());
  return units.map((unit) => unit.times(scale));
}
