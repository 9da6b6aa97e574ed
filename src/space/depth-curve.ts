/** How a coefficient varies over the layers: constant, or a sum of a few curves, or one value for each layer. */
export type Depth =
  | { readonly curve: "constant" | "per-layer" }
  | { readonly curve: "dct" | "knots" | "blocks"; readonly terms: number };

/** One gene's share in a coefficient: the coefficient of layer l is the sum over the terms of gene x values[l]. */
export interface CurveTerm {
  /** Name of the gene among those of its coefficient, such as `dct1`; empty when it is the only one. */
  readonly name: string;
  /** One number per layer. */
  readonly values: readonly number[];
  /** Whether the gene is a value of the coefficient itself, rather than a deviation from the other genes. */
  readonly isLevel: boolean;
}

type Basis = (terms: number, layers: number) => CurveTerm[];

const bases: Readonly<Record<Depth["curve"], Basis>> = {
  constant: (_, layers) => [{ name: "", values: perLayer(layers, () => 1), isLevel: true }],
  "per-layer": (_, layers) => blocks("layer", layers, layers),
  blocks: (terms, layers) => blocks("block", terms, layers),
  knots,
  dct,
};

/** How many terms a curve over `layers` layers has. */
export function termCount(depth: Depth, layers: number): number {
  if (depth.curve === "constant") return 1;
  return "terms" in depth ? Math.min(depth.terms, layers) : layers;
}

/** The terms of a curve over `layers` layers: no more than there are layers, since so many already reach every curve. */
export function curveTerms(depth: Depth, layers: number): CurveTerm[] {
  const terms = termCount(depth, layers);
  return terms === 1 ? bases.constant(1, layers) : bases[depth.curve](terms, layers);
}

/** The mean over the layers, which weights outside the layers take; exact where all values are equal. */
export function levelOf(values: readonly number[]): number {
  const [first = Number.NaN] = values;
  return first + values.reduce((sum, value) => sum + (value - first), 0) / values.length;
}

/** Runs of neighbouring layers, as equal in size as they can be. */
function blocks(name: string, terms: number, layers: number): CurveTerm[] {
  return Array.from({ length: terms }, (_, k) => ({
    name: `${name}${k}`,
    values: perLayer(layers, (l) => (Math.floor((l * terms) / layers) === k ? 1 : 0)),
    isLevel: true,
  }));
}

/** Straight lines between values at evenly spaced depths, the first layer and the last among them. */
function knots(terms: number, layers: number): CurveTerm[] {
  return Array.from({ length: terms }, (_, k) => ({
    name: `knot${k}`,
    values: perLayer(layers, (l) => Math.max(0, 1 - Math.abs((l * (terms - 1)) / (layers - 1) - k))),
    isLevel: true,
  }));
}

/** Cosines cos(pi k (l + 1/2) / layers), the discrete cosine transform's; each but the first (k = 0) averages to 0. */
function dct(terms: number, layers: number): CurveTerm[] {
  return Array.from({ length: terms }, (_, k) => ({
    name: `dct${k}`,
    values: perLayer(layers, (l) => cosineOfFraction(k * (2 * l + 1), 4 * layers)),
    isLevel: k === 0,
  }));
}

function perLayer(layers: number, value: (layer: number) => number): number[] {
  return Array.from({ length: layers }, (_, l) => value(l));
}

/**
 * cos(2 pi part / whole) of integers, `whole` a multiple of 4, by arithmetic alone: the last bits of `Math.cos` depend
 * on the machine, and the same point must be the same merge on all of them.
 */
function cosineOfFraction(part: number, whole: number): number {
  const turned = part % whole;
  const mirrored = Math.min(turned, whole - turned);
  if (mirrored > whole / 4) return -cosineOfFraction(whole / 2 - mirrored, whole);
  const square = ((2 * Math.PI * mirrored) / whole) ** 2;
  let series = 1;
  for (let k = 24; k >= 2; k -= 2) series = 1 - (series * square) / (k * (k - 1));
  return series;
}
