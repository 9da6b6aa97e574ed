import { quantile, sum } from "simple-statistics";
import { RandomStream } from "../tensor/random.ts";

/** The same rows of one task scored by two models. */
export interface PairedLosses {
  /** Factor of this task's mean in the combined gain; 1 for a task on its own. */
  readonly weight: number;
  /** Loss of each row under the model to beat. */
  readonly baseline: ArrayLike<number>;
  /** Loss of each row under the other model. */
  readonly candidate: ArrayLike<number>;
  /** Group of each row: rows of one group are resampled together. */
  readonly groups: readonly string[];
}

/** How the candidate did against the baseline. */
export interface Comparison {
  /** Sum over tasks of weight * mean(baseline - candidate): positive when the candidate is better. */
  readonly gain: number;
  readonly interval: Interval;
  /** Two-sided; at least 1 / (1 + resamples). */
  readonly pValue: number;
  /** Rows on which the candidate's loss is lower. */
  readonly wins: number;
  /** Rows on which the candidate's loss is higher. */
  readonly losses: number;
}

/** Lower and upper end of a 95 % interval. */
export type Interval = readonly [lower: number, upper: number];

export interface ResamplingOptions {
  readonly seed: number;
  /** Random draws for each interval and p-value; 10,000 unless given. */
  readonly resamples?: number;
}

/** Totals of a task's groups, by which its mean is resampled. */
interface Stratum {
  readonly weight: number;
  readonly rows: number;
  readonly sums: Float64Array;
  readonly counts: Float64Array;
}

/**
 * Compares two models over the rows of one or more tasks: a percentile bootstrap interval of the gain (Efron & Tibshirani
 * 1993, chapter 13) that draws whole groups within each task, and the p-value of a sign-flip permutation test that flips
 * whole groups. A loss that is not a number leaves nothing to compare: gain and interval NaN, p-value 1.
 */
export function pairedTest(tasks: readonly PairedLosses[], options: ResamplingOptions): Comparison {
  const differences = tasks.map(({ baseline, candidate }) => subtract(baseline, candidate));
  const strata = tasks.map(({ weight, groups }, task) => stratumOf(differences[task] ?? [], groups, weight));
  const rows = differences.flat();
  const gain = combinedMean(strata);
  const known = Number.isFinite(gain);
  return {
    gain,
    interval: known ? bootstrapInterval(strata, options) : [NaN, NaN],
    pValue: known ? signFlipPValue(strata, options) : 1,
    wins: rows.filter((difference) => difference > 0).length,
    losses: rows.filter((difference) => difference < 0).length,
  };
}

/** Mean of per-row values of one task with its percentile bootstrap interval, drawing whole groups. */
export function meanInterval(
  values: ArrayLike<number>,
  groups: readonly string[],
  options: ResamplingOptions,
): { mean: number; interval: Interval } {
  const strata = [stratumOf(Array.from(values), groups, 1)];
  const average = combinedMean(strata);
  return { mean: average, interval: Number.isFinite(average) ? bootstrapInterval(strata, options) : [NaN, NaN] };
}

function subtract(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  if (a.length !== b.length) throw new Error(`cannot pair ${a.length} losses with ${b.length}`);
  return Array.from(a, (value, i) => value - (b[i] ?? NaN));
}

function stratumOf(values: readonly number[], groups: readonly string[], weight: number): Stratum {
  if (values.length !== groups.length) throw new Error(`${values.length} rows but ${groups.length} groups`);
  const members = new Map<string, number[]>();
  groups.forEach((group, row) => {
    const own = members.get(group) ?? [];
    members.set(group, own);
    own.push(values[row] ?? NaN);
  });
  const sums = Float64Array.from(members.values(), sum);
  return { weight, rows: values.length, sums, counts: Float64Array.from(members.values(), ({ length }) => length) };
}

function combinedMean(strata: readonly Stratum[]): number {
  return sum(strata.map(({ weight, rows, sums }) => (weight * sum(Array.from(sums))) / rows));
}

function bootstrapInterval(strata: readonly Stratum[], { seed, resamples = 10_000 }: ResamplingOptions): Interval {
  const stream = RandomStream.of(seed, "bootstrap");
  const means = Array.from({ length: resamples }, () =>
    strata.reduce((total, stratum) => total + stratum.weight * resampledMean(stratum, stream), 0),
  );
  const [lower = NaN, upper = NaN] = quantile(means, [0.025, 0.975]);
  return [lower, upper];
}

/** Mean over as many groups as there are, drawn with replacement. */
function resampledMean({ sums, counts }: Stratum, stream: RandomStream): number {
  let total = 0;
  let rows = 0;
  for (let draw = 0; draw < sums.length; draw++) {
    const group = stream.integer(sums.length);
    total += sums[group] ?? 0;
    rows += counts[group] ?? 0;
  }
  return total / rows;
}

/**
 * If the two models were exchangeable, each group's sum of differences would have either sign with probability one half
 * (Good 2005, "Permutation, Parametric and Bootstrap Tests of Hypotheses"). Counting the observed assignment keeps the
 * p-value above zero (Phipson & Smyth 2010, arXiv:1603.05766).
 */
function signFlipPValue(strata: readonly Stratum[], { seed, resamples = 10_000 }: ResamplingOptions): number {
  const stream = RandomStream.of(seed, "sign flips");
  const terms = strata.flatMap(({ weight, rows, sums }) => Array.from(sums, (sum) => (weight * sum) / rows));
  // Assignments that tie with the observed one must not lose to rounding.
  const observed = Math.abs(sum(terms)) - 1e-12 * sum(terms.map(Math.abs));
  let extreme = 0;
  for (let resample = 0; resample < resamples; resample++) {
    if (Math.abs(flippedSum(terms, stream)) >= observed) extreme++;
  }
  return (1 + extreme) / (1 + resamples);
}

/** Sum of the terms under random signs, 30 signs to a random number. */
function flippedSum(terms: readonly number[], stream: RandomStream): number {
  let total = 0;
  let bits = 0;
  terms.forEach((term, i) => {
    if (i % 30 === 0) bits = stream.integer(2 ** 30);
    total += bits & 1 ? term : -term;
    bits >>= 1;
  });
  return total;
}
