import { describe, expect, test } from "vitest";
import { type OptimizerName, optimizers } from "../../src/search/optimizers.ts";
import type { Optimizer } from "../../src/search/optimizer.ts";

const DIMENSION = 8;
const optimum = Float64Array.from({ length: DIMENSION }, (_, j) => 0.35 + 0.04 * j);

/** An ellipsoid whose axes are not those of the coordinates, a hundred times as long as each other. */
function ellipsoid(point: Float64Array): number {
  const away = point.map((value, j) => value - optimum[j]!);
  let sum = 0;
  for (let j = 0; j < DIMENSION; j++) {
    const turned = away.reduce((total, value, i) => total + value * Math.cos((Math.PI * j * (2 * i + 1)) / 16), 0);
    sum += 10 ** ((4 * j) / (DIMENSION - 1)) * turned * turned;
  }
  return sum;
}

function search(optimizer: Optimizer, generations: number): Optimizer {
  for (let i = 0; i < generations; i++) {
    optimizer.tell(
      optimizer.ask().map(({ point }) => ({ loss: ellipsoid(point) })),
      0.1,
    );
  }
  return optimizer;
}

const begin = { start: new Float64Array(DIMENSION).fill(0.7), sigma: 0.1 };

describe.each<OptimizerName>(["cma-es", "sep-cma-es"])("a distribution that %s has learnt", (name) => {
  const create = (options: Partial<Parameters<(typeof optimizers)[typeof name]["create"]>[0]>): Optimizer =>
    optimizers[name].create({ ...begin, seed: 1, ...options });

  test("is sooner at the optimum than its mean alone", () => {
    // Half learnt, so that there is something left to do.
    const { mean, covariance } = search(create({}), 60).learnt!;
    const after = (options: object): number =>
      [1, 2, 3, 4, 5]
        .map((seed) => ellipsoid(search(create({ start: mean, seed, ...options }), 20).recommend()))
        .toSorted((a, b) => a - b)[2]!;
    expect(after({ covariance })).toBeLessThan(after({}) / (name === "cma-es" ? 3 : 1));
  });

  test("does not stand still where it has contracted", () => {
    const tiny = { cma: DIMENSION * (DIMENSION + 1), sep: 2 * DIMENSION }[name === "cma-es" ? "cma" : "sep"] / 2;
    const covariance = new Float64Array(tiny);
    for (let i = 0; i < DIMENSION; i++) covariance[name === "cma-es" ? (i * (i + 3)) / 2 : i] = 1e-20;
    const points = create({ covariance }).ask();
    const spread = points.map(({ point }) => Math.max(...point.map((value) => Math.abs(value - 0.7))));
    expect(Math.max(...spread)).toBeGreaterThan(0.02);
    expect(Math.max(...spread)).toBeLessThan(0.15);
  });

  test("is told as it was begun with", () => {
    const learnt = search(create({}), 10).learnt!;
    const again = create({ start: learnt.mean, covariance: learnt.covariance }).learnt!;
    for (const [i, value] of learnt.covariance.entries()) expect(again.covariance[i]).toBeCloseTo(value, 9);
    for (const [i, value] of learnt.mean.entries()) expect(again.mean[i]).toBeCloseTo(value, 12);
  });
});

test("searches that draw from no distribution learn none", () => {
  for (const name of ["gradient-walk", "lineages", "random", "mixed-evolution"] as const)
    expect(optimizers[name].create({ ...begin, seed: 1 }).learnt).toBeUndefined();
});
