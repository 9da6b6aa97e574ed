import { readFileSync } from "node:fs";
import { cumulativeStdNormalProbability, mean, sampleStandardDeviation } from "simple-statistics";
import { describe, expect, test } from "vitest";
import { type Comparison, meanInterval, pairedTest, type PairedLosses } from "../../src/statistics/paired-test.ts";
import { effectiveGroups, type GroupedValues, strataOf } from "../../src/statistics/clusters.ts";
import { observed, signFlipPValue } from "../../src/statistics/resampling.ts";
import { RandomStream } from "../../src/tensor/random.ts";

const scipy = JSON.parse(readFileSync(new URL("../fixtures/tasks/statistics.json", import.meta.url), "utf8")) as {
  name: string;
  tasks: PairedLosses[];
  gain: number;
  /** Of the sign flips. */
  pValue: number;
  bootstrapPValue?: number;
  /** Intervals of 95 % less and more the error of 40,000 random draws. */
  inner?: [number, number];
  outer?: [number, number];
}[];

const names = (count: number, size = 1): string[] =>
  Array.from({ length: count }, (_, i) => `g${Math.floor(i / size)}`);
const normals = (count: number, stream: RandomStream): number[] => Array.from({ length: count }, () => stream.normal());

const width = ({ interval: [lower, upper] }: Comparison): number => upper - lower;

/** Rows whose candidate differs by group-wise and row-wise noise around `effect`. */
function task(stream: RandomStream, { rows = 60, size = 1, effect = 0, weight = 1 }): PairedLosses {
  const shared = normals(rows, stream);
  const baseline = normals(rows, stream);
  const candidate = baseline.map((loss, i) => loss - effect + stream.normal() + shared[Math.floor(i / size)]!);
  return { weight, baseline, candidate, groups: names(rows, size) };
}

describe("pairedTest", () => {
  test.each(scipy)("agrees with scipy's exact permutation test: $name", ({ tasks, gain, pValue }) => {
    const resamples = 20_000;
    const strata = strataOf(tasks.map(differencesOf));
    expect(observed(strata).total).toBeCloseTo(gain, 12);
    expectShare(signFlipPValue(strata, { seed: 1, resamples }), pValue, resamples);
  });

  test.each(scipy.filter(({ inner }) => inner))(
    "draws the studentised bootstrap interval of all possible draws: $name",
    ({ tasks, pValue, bootstrapPValue, inner, outer }) => {
      const resamples = 40_000;
      const { interval, pValue: found } = pairedTest(tasks, { seed: 1, resamples });
      expectShare(found, Math.max(pValue, bootstrapPValue!), resamples / 2);
      expect(interval[0]).toBeGreaterThanOrEqual(outer![0] - 1e-9);
      expect(interval[0]).toBeLessThanOrEqual(inner![0] + 1e-9);
      expect(interval[1]).toBeGreaterThanOrEqual(inner![1] - 1e-9);
      expect(interval[1]).toBeLessThanOrEqual(outer![1] + 1e-9);
    },
  );

  test("rows of one group that two tasks share are drawn together", () => {
    const stream = RandomStream.of(12);
    const effects = normals(100, stream);
    const asked = (weight: number, groups: readonly string[]): PairedLosses => ({
      weight,
      baseline: effects,
      candidate: effects.map(() => 0),
      groups,
    });
    const [once] = [pairedTest([asked(1, names(100))], { seed: 1, resamples: 2000 })];
    // The same hundred groups in two tasks are no more than in one.
    const shared = pairedTest([asked(0.5, names(100)), asked(0.5, names(100))], { seed: 1, resamples: 2000 });
    expect(shared.gain).toBeCloseTo(once.gain, 12);
    expect(shared.pValue).toBe(once.pValue);
    expect(shared.interval[0]).toBeCloseTo(once.interval[0], 9);
    const apart = asked(
      0.5,
      names(100).map((name) => `other ${name}`),
    );
    const independent = pairedTest([asked(0.5, names(100)), apart], { seed: 1, resamples: 2000 });
    expect(width(independent) / width(once)).toBeCloseTo(Math.SQRT1_2, 1);
  });

  test.each([1, 3])("p is uniform where there is no effect, for groups of %d", (size) => {
    const stream = RandomStream.of(11, size);
    const ps = Array.from(
      { length: 400 },
      (_, seed) => pairedTest([task(stream, { size })], { seed, resamples: 199 }).pValue,
    );
    for (const level of [0.05, 0.2, 0.5, 0.8]) {
      const share = ps.filter((p) => p <= level).length / ps.length;
      expect(Math.abs(share - level)).toBeLessThan(4 * Math.sqrt((level * (1 - level)) / ps.length));
    }
  });

  test.each([0, 0.1, 0.2])("p of many rows is the normal one, for an effect of %d", (effect) => {
    const asked = task(RandomStream.of(9, effect), { rows: 200, effect });
    const differences = Array.from(asked.baseline, (loss, i) => loss - asked.candidate[i]!);
    const z = Math.abs(mean(differences)) / Math.sqrt(mean(differences.map((value) => value ** 2)) / 200);
    const expected = 2 * (1 - cumulativeStdNormalProbability(z));
    expect(Math.abs(pairedTest([asked], { seed: 1, resamples: 5000 }).pValue - expected)).toBeLessThan(0.03);
  });

  test("p is at its floor for a strong effect and one for none at all", () => {
    const strong = pairedTest([task(RandomStream.of(1), { effect: 3 })], { seed: 1, resamples: 999 });
    expect(strong.pValue).toBe(2 / 1000);
    expect(strong.interval[0]).toBeGreaterThan(2);
    const losses = [1, 2, 3];
    expect(pairedTest([{ weight: 1, baseline: losses, candidate: losses, groups: names(3) }], { seed: 1 })).toEqual({
      gain: 0,
      interval: [0, 0],
      pValue: 1,
    });
  });

  test("a lower loss of the candidate is a gain", () => {
    const asked = { weight: 2, baseline: [1, 1, 1, 1], candidate: [0, 0.5, 1, 1.5], groups: names(4) };
    expect(pairedTest([asked], { seed: 1, resamples: 10 })).toMatchObject({ gain: 0.5 });
  });

  test("the order of the models turns the sign and nothing else", () => {
    const { baseline, candidate, ...rest } = task(RandomStream.of(4), { effect: 0.3 });
    const forth = pairedTest([{ baseline, candidate, ...rest }], { seed: 1, resamples: 500 });
    const back = pairedTest([{ baseline: candidate, candidate: baseline, ...rest }], { seed: 1, resamples: 500 });
    expect(back.gain).toBeCloseTo(-forth.gain, 12);
    expect(back.pValue).toBe(forth.pValue);
    expect(back.interval[0]).toBeCloseTo(-forth.interval[1], 12);
  });

  test("the interval of weighted tasks is the normal one of their independent means", () => {
    const stream = RandomStream.of(6);
    const tasks = [task(stream, { rows: 300, weight: 0.5 }), task(stream, { rows: 200, weight: 2, effect: 1 })];
    const { gain, interval } = pairedTest(tasks, { seed: 1, resamples: 4000 });
    const variance = tasks.reduce((total, { weight, baseline, candidate }) => {
      const differences = Array.from(baseline, (loss, i) => loss - candidate[i]!);
      return total + (weight * sampleStandardDeviation(differences)) ** 2 / differences.length;
    }, 0);
    expectNormal(interval, gain, Math.sqrt(variance));
  });

  // Sign flips alone find one in 12 % of these.
  test("finds no difference in skewed ones that are none on average", () => {
    const stream = RandomStream.of(22);
    const found = Array.from({ length: 300 }, (_, seed) => {
      const baseline = Array.from({ length: 20 }, () => Math.exp(stream.normal()) - Math.exp(0.5));
      const skewed = { weight: 1, baseline, candidate: baseline.map(() => 0), groups: names(20) };
      return pairedTest([skewed], { seed, resamples: 399 }).pValue < 0.05;
    });
    expect(found.filter(Boolean).length / found.length).toBeLessThan(0.1);
  });

  test("a single group, or groups without any spread, bound nothing", () => {
    const unbounded = [-Infinity, Infinity];
    const alone = { weight: 1, baseline: [2, 3, 4], candidate: [1, 1, 1], groups: ["g", "g", "g"] };
    expect(pairedTest([alone], { seed: 1, resamples: 99 })).toMatchObject({ gain: 2, interval: unbounded, pValue: 1 });
    const besides = { ...task(RandomStream.of(3), {}), weight: 5 };
    expect(pairedTest([besides, alone], { seed: 1, resamples: 99 })).toMatchObject({ interval: unbounded, pValue: 1 });
    const equal = { weight: 1, baseline: [1.1, 1.1, 1.1, 1.1], candidate: [1, 1, 1, 1], groups: names(4) };
    expect(pairedTest([equal], { seed: 1, resamples: 99 }).interval).toEqual(unbounded);
    expect(meanInterval([2, 2, 2], names(3), { seed: 1, resamples: 99 }).interval).toEqual(unbounded);
  });

  test("two and three groups bound little", () => {
    const widths = [2, 3, 5].map((rows) =>
      width(pairedTest([task(RandomStream.of(5), { rows, effect: 5 })], { seed: 1 })),
    );
    expect(widths.map(Number.isFinite)).toEqual([false, false, true]);
  });

  test("a loss that is not a number is no evidence", () => {
    const asked = { weight: 1, baseline: [1, 1, 1], candidate: [0, NaN, 0], groups: names(3) };
    expect(pairedTest([asked], { seed: 1 })).toMatchObject({ gain: NaN, interval: [NaN, NaN], pValue: 1 });
  });

  test("is the same for the same seed only", () => {
    const asked = [task(RandomStream.of(8), { effect: 0.2 })];
    const first = pairedTest(asked, { seed: 1, resamples: 300 });
    expect(pairedTest(asked, { seed: 1, resamples: 300 })).toEqual(first);
    expect(pairedTest(asked, { seed: 2, resamples: 300 })).not.toEqual(first);
  });

  test("refuses rows that cannot be paired", () => {
    expect(() => pairedTest([{ weight: 1, baseline: [1, 2], candidate: [1], groups: names(2) }], { seed: 1 })).toThrow(
      /pair 2/,
    );
    expect(() =>
      pairedTest([{ weight: 1, baseline: [1, 2], candidate: [1, 2], groups: names(3) }], { seed: 1 }),
    ).toThrow(/3 groups/);
  });
});

/** As near to the exact share of all assignments or draws as so many random ones are. */
function expectShare(found: number, exact: number, resamples: number): void {
  expect(Math.abs(found - exact)).toBeLessThan(4 * Math.sqrt((exact * (1 - exact)) / resamples) + 2 / resamples);
}

function differencesOf({ weight, baseline, candidate, groups }: PairedLosses): GroupedValues {
  return { weight, values: Array.from(baseline, (loss, i) => loss - candidate[i]!), groups };
}

describe("meanInterval", () => {
  test("is the normal interval of many independent rows", () => {
    const values = normals(400, RandomStream.of(2));
    const result = meanInterval(values, names(400), { seed: 1, resamples: 4000 });
    expect(result.mean).toBeCloseTo(mean(values), 12);
    expectNormal(result.interval, mean(values), sampleStandardDeviation(values) / Math.sqrt(400));
  });

  // Percentiles of the draws cover 83 % and 81 % of these.
  test.each([
    ["of one row", 1],
    ["of one to eight rows", 8],
  ])("covers the mean of few and skewed groups: %s", (_, largest) => {
    const stream = RandomStream.of(21, largest);
    let covered = 0;
    const trials = 400;
    for (let trial = 0; trial < trials; trial++) {
      const sizes = Array.from({ length: 15 }, () => 1 + stream.integer(largest));
      const groups = sizes.flatMap((size, group) => Array<string>(size).fill(`g${group}`));
      const values = sizes.flatMap((size) => Array<number>(size).fill(Math.exp(stream.normal())));
      const [lower, upper] = meanInterval(values, groups, { seed: trial, resamples: 399 }).interval;
      if (lower <= Math.exp(0.5) && Math.exp(0.5) <= upper) covered++;
    }
    expect(covered / trials).toBeGreaterThan(0.87);
  });

  test("counts rows of one passage once: four copies of each row change nothing but the number of rows", () => {
    const values = normals(300, RandomStream.of(3));
    const copies = values.flatMap((value) => [value, value, value, value]);
    expect(
      meanInterval(copies, names(1200, 4), { seed: 1, resamples: 500 }).interval.map((end) => end.toFixed(9)),
    ).toEqual(meanInterval(values, names(300), { seed: 1, resamples: 500 }).interval.map((end) => end.toFixed(9)));
  });

  test("is NaN where a value is", () => {
    expect(meanInterval([1, NaN], names(2), { seed: 1 })).toEqual({ mean: NaN, interval: [NaN, NaN] });
  });
});

/** Ends within a tenth of their distance from the centre, more than the bootstrap's own noise. */
function expectNormal([lower, upper]: readonly [number, number], centre: number, standardError: number): void {
  expect(Math.abs(lower - (centre - 1.96 * standardError))).toBeLessThan(0.196 * standardError);
  expect(Math.abs(upper - (centre + 1.96 * standardError))).toBeLessThan(0.196 * standardError);
}

describe("effectiveGroups", () => {
  test("counts groups of one size, and of uneven sizes as many as tell as much", () => {
    expect(effectiveGroups(names(40))).toBe(40);
    expect(effectiveGroups(names(40, 4))).toBe(10);
    // Of 40 groups one with 100 rows: 139^2 / (100^2 + 39).
    expect(effectiveGroups([...names(39), ...Array.from({ length: 100 }, () => "large")])).toBeCloseTo(1.9246, 4);
    expect(effectiveGroups([])).toBe(0);
  });
});
