import { RandomStream } from "../tensor/random.ts";
import { added, type Estimate, estimate, standardised, type Stratum } from "./clusters.ts";

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
  return added(strata.map((stratum) => estimate(stratum, ones(stratum), ones(stratum))));
}

/**
 * The studentised bootstrap interval (Efron & Tibshirani 1993, chapter 12; Davison & Hinkley 1997, section 2.4): draws as
 * many groups as there are with replacement, in each stratum, and measures how many of its own standard errors each draw
 * is away. That follows the skewness of few groups, which the percentiles of draws do not. Without any spread between
 * groups nothing is bounded, unless all values are zero.
 */
export function bootstrapInterval(
  strata: readonly Stratum[],
  { seed, resamples = RESAMPLES }: ResamplingOptions,
): Interval {
  const { total, variance } = observed(strata);
  if (!Number.isFinite(total)) return [NaN, NaN];
  const isNothing = strata.every(({ tasks }) => tasks.every(({ sums }) => sums.every((sum) => sum === 0)));
  if (isNothing) return [0, 0];
  if (variance === 0 || variance === Infinity) return [-Infinity, Infinity];
  const stream = RandomStream.of(seed, "bootstrap");
  const draws = strata.map((stratum) => ({ stratum, copies: new Float64Array(stratum.size), signs: ones(stratum) }));
  const distances = Float64Array.from({ length: resamples }, () => {
    const drawn = draws.map(({ stratum, copies, signs }) => {
      drawGroups(stratum, copies, stream);
      return estimate(stratum, copies, signs);
    });
    return standardised(added(drawn), total);
  }).toSorted();
  const tail = Math.floor(0.025 * (resamples + 1));
  const error = Math.sqrt(variance);
  return [total - distances[resamples - Math.max(1, tail)]! * error, total - distances[Math.max(1, tail) - 1]! * error];
}

/** Counts how often each group is drawn; draws again where a task has got no rows. */
function drawGroups({ size, tasks }: Stratum, copies: Float64Array, stream: RandomStream): void {
  do {
    copies.fill(0);
    for (let draw = 0; draw < size; draw++) copies[stream.integer(size)]! += 1;
  } while (tasks.some(({ counts }) => !counts.some((count, group) => count * copies[group]! > 0)));
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
  const flips = strata.map((stratum) => ({ stratum, copies: ones(stratum), signs: ones(stratum) }));
  let extreme = 0;
  for (let resample = 0; resample < resamples; resample++) {
    const flipped = flips.map(({ stratum, copies, signs }) => {
      drawSigns(signs, stream);
      return estimate(stratum, copies, signs);
    });
    if (Math.abs(standardised(added(flipped), 0)) >= least) extreme++;
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

function ones({ size }: Stratum): Float64Array {
  return new Float64Array(size).fill(1);
}
