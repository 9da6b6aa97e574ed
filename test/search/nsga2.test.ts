import { readFileSync } from "node:fs";
import { mean, median } from "simple-statistics";
import { describe, expect, test } from "vitest";
import { Nsga2 } from "../../src/search/nsga2.ts";
import type { OptimizerOptions } from "../../src/search/optimizer.ts";
import { hypervolume } from "./hypervolume.ts";

interface Zdt1Reference {
  readonly variables: number;
  readonly population: number;
  readonly reference: [number, number];
  readonly evaluations: number;
  /** One for each seed. */
  readonly hypervolumes: number[];
}

const zdt1Reference = JSON.parse(
  readFileSync(new URL("../fixtures/search/pymoo-zdt1.json", import.meta.url), "utf8"),
) as Zdt1Reference;

type LossesOf = (x: Float64Array) => number[];

/** Zitzler, Deb and Thiele 2000: its best front is f2 = 1 - sqrt(f1), where all variables but the first are 0. */
const zdt1: LossesOf = (x) => {
  const g = 1 + (9 * x.slice(1).reduce((sum, value) => sum + value, 0)) / (x.length - 1);
  return [x[0]!, g * (1 - Math.sqrt(x[0]! / g))];
};

/** Squared distances from two points; the best front is between them. */
const twoBowls: LossesOf = (x) => [0.2, 0.8].map((center) => x.reduce((sum, xj) => sum + (xj - center) ** 2, 0));

const failsOnTheLeft: LossesOf = (x) => (x[0]! < 0.5 ? [NaN, 0] : twoBowls(x));

describe("NSGA-II", () => {
  test("finds as much hypervolume of ZDT1 as pymoo's, within 2 % in the median, by no more evaluations", () => {
    const { variables, population, reference, evaluations, hypervolumes } = zdt1Reference;
    const found = hypervolumes.map((_, seed) => {
      const optimizer = create(variables, { populationSize: population, sigma: 0.3, seed });
      for (let spent = optimizer.candidates; spent <= evaluations; spent += optimizer.candidates) step(optimizer, zdt1);
      return hypervolume(optimizer.front.map(zdt1), reference);
    });
    expect(Math.abs(median(found) / median(hypervolumes) - 1)).toBeLessThan(0.02);
  });

  test("keeps the ends of a front, and spreads between them", () => {
    const optimizer = create(2, { populationSize: 20 });
    for (let generation = 0; generation < 60; generation++) step(optimizer, twoBowls);
    const front = optimizer.front.map(twoBowls).toSorted(([a], [b]) => a! - b!);
    expect(front[0]![0]).toBeLessThan(1e-3);
    expect(front.at(-1)![1]).toBeLessThan(1e-3);
    const gaps = front.slice(1).map(([x], i) => x! - front[i]![0]!);
    expect(Math.max(...gaps)).toBeLessThan(0.25 * (front.at(-1)![0]! - front[0]![0]!));
  });

  test("recommends what has the least combined loss, which is the reference of the next generation", () => {
    const optimizer = create(3);
    for (let generation = 0; generation < 10; generation++) step(optimizer, twoBowls);
    const best = Math.min(...optimizer.front.map(combined));
    expect(combined(optimizer.recommend())).toBeLessThanOrEqual(best);
    expect(optimizer.ask().at(-1)).toEqual({
      point: optimizer.recommend(),
      wantsGradient: false,
      isReference: true,
    });
  });

  test("does without candidates that failed in one of the objectives", () => {
    const optimizer = create(2, { start: Float64Array.of(0.4, 0.4) });
    for (let generation = 0; generation < 20; generation++) step(optimizer, failsOnTheLeft);
    expect(optimizer.front.length).toBeGreaterThan(2);
    expect(optimizer.front.every(([x]) => x! >= 0.5)).toBe(true);
    expect(optimizer.recommend()[0]).toBeGreaterThanOrEqual(0.5);
  });

  test("goes on where every candidate failed", () => {
    const optimizer = create(2);
    for (let generation = 0; generation < 3; generation++) step(optimizer, () => [NaN, NaN]);
    expect(optimizer.recommend()).toEqual(Float64Array.of(0.5, 0.5));
  });

  test("asks for levels alone where a coordinate has them, and tries all of them", () => {
    const optimizer = create(3, { levels: [3, 0, 2] });
    const asked = Array.from({ length: 10 }, () => step(optimizer, twoBowls)).flat();
    const valuesOf = (j: number): number[] => [...new Set(asked.map((point) => point[j]!))].toSorted((a, b) => a - b);
    expect(valuesOf(0).filter((value) => value !== 0.5)).toEqual([1 / 6, 5 / 6]);
    expect(valuesOf(2).filter((value) => value !== 0.5)).toEqual([1 / 4, 3 / 4]);
    expect(valuesOf(1).length).toBeGreaterThan(50);
  });

  test("finds children where there are few points to ask for", () => {
    const optimizer = create(1, { levels: [2], populationSize: 6 });
    for (let generation = 0; generation < 3; generation++) expect(step(optimizer, twoBowls)).toHaveLength(7);
  });
});

function create(dimension: number, options: Partial<OptimizerOptions> = {}): Nsga2 {
  return new Nsga2({ start: new Float64Array(dimension).fill(0.5), sigma: 0.2, seed: 1, ...options });
}

/** Carries out a generation; returns the points that were asked. */
function step(optimizer: Nsga2, lossesOf: LossesOf): Float64Array[] {
  const points = optimizer.ask().map(({ point }) => point);
  optimizer.tell(points.map(lossesOf).map((losses) => ({ losses, loss: mean(losses) })));
  return points;
}

function combined(x: Float64Array): number {
  return mean(twoBowls(x));
}
