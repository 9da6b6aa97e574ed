import { type GroupedValues, strataOf } from "./clusters.ts";
import { type Interval, observed, type ResamplingOptions, signFlipPValue, studentisedBootstrap } from "./resampling.ts";

/** The same rows of one task scored by two models. */
export interface PairedLosses {
  /** Factor of this task's mean in the combined gain; 1 for a task on its own. */
  readonly weight: number;
  /** Loss of each row under the model to beat. */
  readonly baseline: ArrayLike<number>;
  /** Loss of each row under the other model. */
  readonly candidate: ArrayLike<number>;
  /** Group of each row: rows of one group, of whatever task, are resampled together. */
  readonly groups: readonly string[];
}

/** How the candidate did against the baseline. */
export interface Comparison {
  /** Sum over tasks of weight * mean(baseline - candidate): positive when the candidate is better. */
  readonly gain: number;
  readonly interval: Interval;
  /** Two-sided; at least 1 / (1 + resamples), and mostly twice that. */
  readonly pValue: number;
}

/**
 * Compares two models over the rows of one or more tasks: a studentised bootstrap interval of the gain, and the larger
 * p-value of this bootstrap and of a studentised sign-flip permutation test, both by groups. The permutations alone take
 * skewed differences for a gain that is none on average, the bootstrap alone is too sure of few groups. A loss that is
 * not a number leaves nothing to compare: gain and interval NaN, p-value 1. Rows of a single group bound nothing: an
 * infinite interval, p-value 1.
 */
export function pairedTest(tasks: readonly PairedLosses[], options: ResamplingOptions): Comparison {
  const differences = tasks.map(({ weight, baseline, candidate, groups }) => ({
    weight,
    values: subtract(baseline, candidate),
    groups,
  }));
  const strata = strataOf(differences);
  const { total } = observed(strata);
  const { interval, pValue } = studentisedBootstrap(strata, options);
  return {
    gain: total,
    interval,
    pValue: pValue === 1 ? 1 : Math.max(pValue, signFlipPValue(strata, options)),
  };
}

/** Mean of per-row values of one task with its studentised bootstrap interval, drawing whole groups. */
export function meanInterval(
  values: ArrayLike<number>,
  groups: readonly string[],
  options: ResamplingOptions,
): { mean: number; interval: Interval } {
  const all: GroupedValues = { weight: 1, values: Array.from(values), groups };
  const strata = strataOf([all]);
  return { mean: observed(strata).total, interval: studentisedBootstrap(strata, options).interval };
}

function subtract(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  if (a.length !== b.length) throw new Error(`cannot pair ${a.length} losses with ${b.length}`);
  return Array.from(a, (value, i) => value - (b[i] ?? NaN));
}
