import { ln } from "../tensor/elementary.ts";

/**
 * Weights and learning rates of CMA-ES; symbols and equation numbers are those of Hansen, "The CMA Evolution Strategy:
 * A Tutorial", arXiv:1604.00772.
 */
export interface StrategyParameters {
  readonly populationSize: number;
  /** One weight per rank from best to worst: positive ones sum to 1, the rest are zero or negative. */
  readonly weights: Float64Array;
  /** Variance effective selection mass of the positive weights. */
  readonly muEff: number;
  readonly cSigma: number;
  readonly dSigma: number;
  readonly cC: number;
  readonly c1: number;
  readonly cMu: number;
  /** Expected length of a standard normal vector. */
  readonly chiN: number;
  /** Generations between two eigendecompositions, after which the covariance has changed by a tenth per direction. */
  readonly eigenInterval: number;
}

/** Equation (48). */
export function defaultPopulationSize(dimension: number): number {
  return 4 + Math.floor(3 * ln(dimension));
}

/**
 * Default parameters of table 1 for a search in `n` dimensions; `populationSize` is at least 2. The covariance is learnt
 * `haste` times as fast.
 */
export function strategyParameters(n: number, populationSize: number, haste = 1): StrategyParameters {
  const raw = Float64Array.from({ length: populationSize }, (_, i) => ln((populationSize + 1) / 2) - ln(i + 1)); // (49)
  const mu = Math.floor(populationSize / 2);
  const muEff = effectiveMass(raw.subarray(0, mu));
  const muEffMinus = effectiveMass(raw.subarray(mu));

  const cSigma = (muEff + 2) / (n + muEff + 5); // (55)
  const dSigma = 1 + 2 * Math.max(0, Math.sqrt((muEff - 1) / (n + 1)) - 1) + cSigma; // (55)
  const cC = (4 + muEff / n) / (n + 4 + (2 * muEff) / n); // (56)
  const c1 = (haste * 2) / ((n + 1.3) * (n + 1.3) + muEff); // (57)
  // (58) as revised in 2023: the 1/4 keeps the rate positive with a single parent.
  const cMu = Math.min(1 - c1, (haste * 2 * (1 / 4 + muEff + 1 / muEff - 2)) / ((n + 2) * (n + 2) + muEff));

  const negativeSum = Math.min(
    1 + c1 / cMu, // (50)
    1 + (2 * muEffMinus) / (muEff + 2), // (51)
    (1 - c1 - cMu) / (n * cMu), // (52)
  );
  return {
    populationSize,
    weights: normalize(raw, negativeSum),
    muEff,
    cSigma,
    dSigma,
    cC,
    c1,
    cMu,
    chiN: Math.sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n)),
    eigenInterval: Math.max(1, Math.floor(1 / (10 * n * (c1 + cMu)))),
  };
}

function effectiveMass(weights: Float64Array): number {
  let sum = 0;
  let squares = 0;
  for (const weight of weights) {
    sum += weight;
    squares += weight * weight;
  }
  return (sum * sum) / squares;
}

/** Equation (53). */
function normalize(raw: Float64Array, negativeSum: number): Float64Array {
  const positive = raw.reduce((sum, weight) => sum + Math.max(0, weight), 0);
  const negative = raw.reduce((sum, weight) => sum - Math.min(0, weight), 0);
  return raw.map((weight) => (weight >= 0 ? weight / positive : (weight * negativeSum) / negative));
}
