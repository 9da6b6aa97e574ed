import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CmaEs, type CmaEsOptions } from "../../src/search/cma-es.ts";
import { separable } from "../../src/search/sep-cma-es.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { ellipsoid, rosenbrock, rotated, sphere, type Loss } from "./test-functions.ts";

const fixture = (name: string): string => readFileSync(new URL(`../fixtures/search/${name}`, import.meta.url), "utf8");

interface Trace {
  readonly mean: number[];
  readonly sigma: number;
  readonly scales: number[];
  readonly draws: number[];
  readonly trace: readonly { mean: number[]; sigma: number; covariance: number[][]; stalled: boolean }[];
}

interface PycmaReference {
  readonly dimension: number;
  readonly target: number;
  readonly problems: Record<string, { start: number; sigma: number; evaluations: (number | null)[] }>;
}

describe("CMA-ES", () => {
  test("follows a transcription of the paper for 20 generations on the same normal numbers", () => {
    const { mean, sigma, scales, draws, trace } = JSON.parse(fixture("cma-es-trace.json")) as Trace;
    const numbers = draws.values();
    const optimizer = new CmaEs({ mean: Float64Array.from(mean), sigma, normal: () => numbers.next().value! });
    const loss: Loss = (x) => x.reduce((sum, value, i) => sum + scales[i]! * value * value, 0);
    expect(new Set(trace.map(({ stalled }) => stalled)).size).toBe(2);
    for (const expected of trace) {
      optimizer.tell(optimizer.ask().map(loss));
      expect(relativeError(optimizer.mean, expected.mean)).toBeLessThan(1e-9);
      expect(relativeError([optimizer.sigma], [expected.sigma])).toBeLessThan(1e-9);
      expect(relativeError(flat(optimizer.covariance), expected.covariance.flat())).toBeLessThan(1e-9);
    }
  });

  describe("needs as many evaluations as pycma, within a tenth in the median", () => {
    const { dimension, target, problems } = JSON.parse(fixture("pycma-reference.json")) as PycmaReference;
    const losses: Record<string, Loss> = {
      sphere,
      ellipsoid,
      "rotated ellipsoid": rotated(ellipsoid, dimension),
      Rosenbrock: rosenbrock,
    };
    test.each(Object.entries(problems))("%s", (name, { start, sigma, evaluations }) => {
      const own = Array.from({ length: 15 }, (_, seed) => {
        const mean = new Float64Array(dimension).fill(start);
        return evaluationsTo(target, losses[name]!, search({ mean, sigma }, seed));
      });
      const ratio = median(own) / median(evaluations.map((count) => count ?? Infinity));
      expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
    });
  });

  describe("with a diagonal covariance needs as many evaluations as pycma, within a tenth in the median", () => {
    const { dimension, target, problems } = JSON.parse(fixture("pycma-separable.json")) as PycmaReference;
    test.each(Object.entries(problems))("%s", (name, { start, sigma, evaluations }) => {
      const own = Array.from({ length: 15 }, (_, seed) => {
        const mean = new Float64Array(dimension).fill(start);
        const optimizer = search({ mean, sigma, model: separable }, seed);
        return evaluationsTo(target, { sphere, ellipsoid }[name]!, optimizer);
      });
      const ratio = median(own) / median(evaluations.map((count) => count ?? Infinity));
      expect(Math.abs(ratio - 1)).toBeLessThan(0.1);
    });
  });

  test("is invariant to the bit under a change of units by a power of two", () => {
    const scale = 2 ** 20;
    const near = search({ mean: Float64Array.of(1, -2, 3), sigma: 0.5 });
    const far = search({ mean: Float64Array.of(scale, -2 * scale, 3 * scale), sigma: 0.5 * scale });
    for (let generation = 0; generation < 50; generation++) {
      near.tell(near.ask().map(ellipsoid));
      far.tell(far.ask().map(ellipsoid));
    }
    expect(far.mean).toEqual(near.mean.map((value) => value * scale));
    expect(far.sigma).toBe(near.sigma * scale);
    expect(far.covariance).toEqual(near.covariance);
  });

  test("starts with the given standard deviations", () => {
    const scales = Float64Array.of(1, 10, 0.1);
    const { sigma, covariance, largestDeviation } = search({ mean: new Float64Array(3), sigma: 2, scales });
    expect(covariance.map((row, i) => sigma * Math.sqrt(row[i]!))).toEqual([2, 20, 0.2]);
    expect(largestDeviation).toBeCloseTo(20, 12);
  });

  test("moves to an injected point within reach and by a bounded step towards a far one", () => {
    const n = 4;
    const longest = Math.sqrt(n) + (2 * n) / (n + 2);
    const distances = [0.5, 1e6].map((coordinate) => {
      const inject = [new Float64Array(n).fill(coordinate)];
      const optimizer = search({ mean: new Float64Array(n), sigma: 1, populationSize: 2, inject });
      optimizer.tell(optimizer.ask().map((_, i) => i));
      expect(optimizer.mean.every((value) => value === optimizer.mean[0])).toBe(true);
      return Math.sqrt(sphere(optimizer.mean));
    });
    expect(distances[0]).toBeCloseTo(1, 12);
    expect(distances[1]).toBeCloseTo(longest, 12);
  });

  test("multiplies its step size by e at most, however many injected points agree", () => {
    const inject = Array.from({ length: 1000 }, () => Float64Array.of(1e6));
    const optimizer = search({ mean: Float64Array.of(0), sigma: 1, populationSize: 1000, inject });
    optimizer.tell(optimizer.ask().map((_, i) => i));
    expect(optimizer.sigma).toBeCloseTo(Math.E, 12);
  });

  test("is not pushed away from injected points that are worst or that fail", () => {
    for (const loss of [1e9, NaN]) {
      const states = [Float64Array.of(3, 0, 0), Float64Array.of(0, -1, 1)].map((point) => {
        const optimizer = search({ mean: new Float64Array(3), sigma: 1, inject: [point] });
        optimizer.tell(optimizer.ask().map((_, i) => (i === 0 ? loss : i)));
        return [optimizer.mean, optimizer.sigma, optimizer.covariance];
      });
      expect(states[1]).toEqual(states[0]);
    }
  });

  test("does not narrow its distribution along a failed step as it does along the worst one", () => {
    const variances = [NaN, 1e9].map((worst) => {
      const optimizer = search({ mean: new Float64Array(3), sigma: 1 });
      const candidates = optimizer.ask();
      optimizer.tell(candidates.map((_, i) => (i === 0 ? worst : i)));
      const step = candidates[0]!;
      return optimizer.covariance.reduce(
        (sum, row, i) => sum + step[i]! * row.reduce((s, c, j) => s + c * step[j]!, 0),
        0,
      );
    });
    expect(variances[0]).toBeGreaterThan(variances[1]!);
  });

  test("retreats towards its mean while every candidate fails", () => {
    const optimizer = search({ mean: Float64Array.of(1, 2, 3), sigma: 1 });
    for (let generation = 0; generation < 50; generation++) optimizer.tell(optimizer.ask().map(() => NaN));
    expect(optimizer.mean).toEqual(Float64Array.of(1, 2, 3));
    expect(optimizer.sigma).toBeLessThan(0.01);
    expect(optimizer.sigma).toBeGreaterThan(0);
  });

  test("has no preferred direction of the step size on random losses", () => {
    const logarithms = Array.from({ length: 40 }, (_, seed) => {
      const random = RandomStream.of(seed, "losses");
      const optimizer = search({ mean: new Float64Array(5), sigma: 1 }, seed);
      for (let generation = 0; generation < 200; generation++) {
        optimizer.tell(optimizer.ask().map(() => random.uniform()));
      }
      return Math.log(optimizer.sigma);
    });
    const mean = logarithms.reduce((a, b) => a + b) / logarithms.length;
    const variance = logarithms.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (logarithms.length - 1);
    expect(Math.abs(mean)).toBeLessThan(3 * Math.sqrt(variance / logarithms.length));
  });

  test("keeps the standard deviation of every coordinate below the limit on a slope that has no end", () => {
    const optimizer = search({
      mean: new Float64Array(3),
      sigma: 5,
      scales: Float64Array.of(1, 0.01, 1),
      maximumDeviation: 0.4,
    });
    for (let generation = 0; generation < 100; generation++) {
      const deviations = optimizer.covariance.map((row, i) => optimizer.sigma * Math.sqrt(row[i]!));
      expect(Math.max(...deviations)).toBeLessThanOrEqual(0.4 * (1 + 1e-12));
      optimizer.tell(optimizer.ask().map((x) => x[0]! + x[1]!));
    }
    expect(optimizer.mean[1]).toBeLessThan(-5);
  });
});

function search(options: Omit<CmaEsOptions, "normal">, seed = 1): CmaEs {
  const random = RandomStream.of(seed, "test");
  return new CmaEs({ ...options, normal: () => random.normal() });
}

/** Index of the first evaluation at or below `target`; Infinity when it takes more than 20,000. */
function evaluationsTo(target: number, loss: Loss, optimizer: CmaEs): number {
  for (let count = 0; count < 20_000;) {
    const losses = optimizer.ask().map(loss);
    const hit = losses.findIndex((value) => value <= target);
    if (hit >= 0) return count + hit + 1;
    count += losses.length;
    optimizer.tell(losses);
  }
  return Infinity;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}

function flat(rows: readonly Float64Array[]): number[] {
  return rows.flatMap((row) => [...row]);
}

/** Largest difference relative to the largest expected value. */
function relativeError(actual: ArrayLike<number>, expected: readonly number[]): number {
  const largest = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(actual[i]! - value))) / largest;
}
