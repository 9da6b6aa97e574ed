/**
 * How often 95 % intervals hold the true mean, and how often tests at 5 % find a difference where there is none on
 * average, when rows come in few, skewed or uneven groups: percentiles of a bootstrap beside the studentised one, and sign
 * flips alone beside the larger of both p-values, which the program takes.
 *
 *     npx tsx bench/coverage.ts [--trials 1000]
 */
import { parseArgs } from "node:util";
import { quantile } from "simple-statistics";
import { alignedText } from "../src/report/text/text-table.ts";
import { type GroupedValues, strataOf } from "../src/statistics/clusters.ts";
import { type Interval, signFlipPValue, studentisedBootstrap } from "../src/statistics/resampling.ts";
import { RandomStream } from "../src/tensor/random.ts";

const { values: options } = parseArgs({ options: { trials: { type: "string", default: "1000" } } });
const TRIALS = Number(options.trials);
const RESAMPLES = 999;

/** A group's effect, whose mean is zero. */
const effects = {
  normal: (stream: RandomStream) => stream.normal(),
  exponential: (stream: RandomStream) => -Math.log(1 - stream.uniform()) - 1,
  lognormal: (stream: RandomStream) => Math.exp(stream.normal()) - Math.exp(0.5),
} as const;

/** Rows of a group. */
const sizes = {
  "one row": () => 1,
  "1 to 8 rows": (stream: RandomStream) => 1 + stream.integer(8),
} as const;

interface Scenario {
  readonly effect: keyof typeof effects;
  readonly size: keyof typeof sizes;
  /** Groups and weight of each task. */
  readonly tasks: readonly (readonly [groups: number, weight: number])[];
}

function draw({ effect, size, tasks }: Scenario, stream: RandomStream): GroupedValues[] {
  return tasks.map(([count, weight], task) => {
    const groups: string[] = [];
    const values: number[] = [];
    for (let group = 0; group < count; group++) {
      const shared = effects[effect](stream);
      const rows = sizes[size](stream);
      for (let row = 0; row < rows; row++) {
        groups.push(`${task} ${group}`);
        values.push(shared + 0.3 * stream.normal());
      }
    }
    return { weight, values, groups };
  });
}

/** What the program used to do: percentiles of the means of draws. */
function percentiles(tasks: readonly GroupedValues[], seed: number): Interval {
  const stream = RandomStream.of(seed, "percentiles");
  const strata = strataOf(tasks);
  const means = Array.from({ length: RESAMPLES }, () => {
    let total = 0;
    for (const { size, tasks } of strata) {
      const drawn = Array.from({ length: size }, () => stream.integer(size));
      for (const { weight, sums, counts } of tasks) {
        const sumOf = (values: Float64Array): number => drawn.reduce((sum, group) => sum + values[group]!, 0);
        total += (weight * sumOf(sums)) / sumOf(counts);
      }
    }
    return total;
  });
  const [lower = NaN, upper = NaN] = quantile(means, [0.025, 0.975]);
  return [lower, upper];
}

function holds([lower, upper]: Interval): number {
  return Number(lower <= 0 && 0 <= upper);
}

function percent(count: number): string {
  return ((100 * count) / TRIALS).toFixed(1);
}

function measure(scenario: Scenario): string[] {
  const stream = RandomStream.of(1, JSON.stringify(scenario));
  const seen = { percentiles: 0, studentised: 0, flipsReject: 0, bothReject: 0 };
  for (let trial = 0; trial < TRIALS; trial++) {
    const tasks = draw(scenario, stream);
    const strata = strataOf(tasks);
    const how = { seed: trial, resamples: RESAMPLES };
    seen.percentiles += holds(percentiles(tasks, trial));
    const { interval, pValue } = studentisedBootstrap(strata, how);
    const flips = signFlipPValue(strata, how);
    seen.studentised += holds(interval);
    seen.flipsReject += Number(flips < 0.05);
    seen.bothReject += Number(Math.max(flips, pValue) < 0.05);
  }
  const { effect, size, tasks } = scenario;
  return [
    `${tasks.map(([groups]) => groups).join(" + ")} groups of ${size}, ${effect}`,
    ...Object.values(seen).map(percent),
  ];
}

const GROUPS = [8, 10, 20, 30, 60, 200];
const one = Object.keys(effects).flatMap((effect) =>
  Object.keys(sizes).flatMap((size) => GROUPS.map((groups) => ({ effect, size, tasks: [[groups, 1]] }) as Scenario)),
);
const two = [10, 30, 86].map((groups): Scenario => ({
  effect: "lognormal",
  size: "1 to 8 rows",
  tasks: [
    [groups, 0.7],
    [groups + 14, 0.5],
  ],
}));

console.log(
  alignedText({
    header: ["", "percentiles %", "studentised %", "sign flips reject %", "both reject %"],
    rows: [...one, ...two].map(measure),
  }),
);
