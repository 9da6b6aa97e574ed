import { RandomStream } from "../tensor/random.ts";
import { type Draw, drawOf, type Estimate, estimate, standardised, type Stratum } from "./clusters.ts";

export interface ResamplingOptions {
  readonly seed: number;
  /** Random draws for each interval and p-value; 10,000 unless given. */
  readonly resamples?: number;
}

/** Lower and upper end of a 95 % interval; infinite where the rows set no bound. */
export type Interval = readonly [lower: number, upper: number];

const RESAMPLES = 10_000;

/** What the groups say as they are. */
export function observed(strata: readonly Stratum[]): Estimate {
  return estimate(strata.map(drawOf));
}

/**
 * The studentised bootstrap (Efron & Tibshirani 1993, chapter 12; Davison & Hinkley 1997, section 2.4): draws as many
 * groups as there are with replacement, in each stratum, and measures how many of its own standard errors each draw is
 * away. That follows the skewness of few groups, which the percentiles of draws do not. Besides the interval it gives the
 * p-value of a total of zero, whose 5 % are where the interval ends. Without any spread between groups nothing is bounded
 * and the p-value is 0, that of a total which no draw leaves; if all values are zero, there is no difference.
 */
export function studentisedBootstrap(
  strata: readonly Stratum[],
  { seed, resamples = RESAMPLES }: ResamplingOptions,
): { readonly interval: Interval; readonly pValue: number } {
  const { total, variance } = observed(strata);
  if (!Number.isFinite(total)) return { interval: [NaN, NaN], pValue: 1 };
  const isNothing = strata.every(({ tasks }) => tasks.every(({ sums }) => sums.every((sum) => sum === 0)));
  if (isNothing) return { interval: [0, 0], pValue: 1 };
  if (variance === 0 || variance === Infinity) {
    return { interval: [-Infinity, Infinity], pValue: variance === 0 ? 0 : 1 };
  }
  const distances = drawnDistances(strata, total, RandomStream.of(seed, "bootstrap"), resamples);
  const tail = Math.max(1, Math.floor(0.025 * (resamples + 1)));
  const error = Math.sqrt(variance);
  const above = distances.filter((distance) => distance >= total / error).length;
  const below = distances.filter((distance) => distance <= total / error).length;
  return {
    interval: [total - distances[resamples - tail]! * error, total - distances[tail - 1]! * error],
    pValue: Math.min(1, (2 * (1 + Math.min(above, below))) / (1 + resamples)),
  };
}

/** In ascending order, in standard errors. */
function drawnDistances(
  strata: readonly Stratum[],
  total: number,
  stream: RandomStream,
  resamples: number,
): Float64Array {
  const draws = strata.map(drawOf);
  return Float64Array.from({ length: resamples }, () => {
    for (const draw of draws) drawGroups(draw, stream);
    return standardised(estimate(draws), total);
  }).toSorted();
}

/** Counts how often each group is drawn; draws again where a task has got no rows. */
function drawGroups({ stratum: { size, tasks }, copies }: Draw, stream: RandomStream): void {
  do {
    copies.fill(0);
    for (let draw = 0; draw < size; draw++) copies[stream.integer(size)]! += 1;
  } while (tasks.some(({ counts }) => !hasRows(counts, copies)));
}

function hasRows(counts: Float64Array, copies: Float64Array): boolean {
  for (let group = 0; group < counts.length; group++) if (counts[group]! * copies[group]! > 0) return true;
  return false;
}

/**
 * If the two models were exchangeable, each group's differences would have either sign with probability one half (Good
 * 2005, "Permutation, Parametric and Bootstrap Tests of Hypotheses"). The statistic is the distance from zero in standard
 * errors, which keeps the test right where differences are only zero on average (Janssen 1999). Counting the observed
 * assignment keeps the p-value above zero (Phipson & Smyth 2010, arXiv:1603.05766).
 */
export function signFlipPValue(strata: readonly Stratum[], { seed, resamples = RESAMPLES }: ResamplingOptions): number {
  // Assignments that tie with the observed one must not lose to rounding.
  const least = Math.abs(standardised(observed(strata), 0)) * (1 - 1e-9);
  const stream = RandomStream.of(seed, "sign flips");
  const flips = strata.map(drawOf);
  let extreme = 0;
  for (let resample = 0; resample < resamples; resample++) {
    for (const { signs } of flips) drawSigns(signs, stream);
    if (Math.abs(standardised(estimate(flips), 0)) >= least) extreme++;
  }
  return (1 + extreme) / (1 + resamples);
}

/** Random signs, 30 to a random number. */
function drawSigns(signs: Float64Array, stream: RandomStream): void {
  let bits = 0;
  for (let i = 0; i < signs.length; i++) {
    if (i % 30 === 0) bits = stream.integer(2 ** 30);
    signs[i] = bits & 1 ? 1 : -1;
    bits >>= 1;
  }
}
