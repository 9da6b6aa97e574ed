import { describe, expect, test } from "vitest";
import { GradientWalk } from "../../src/search/gradient-walk.ts";
import type { OptimizerOptions } from "../../src/search/optimizer.ts";
import { RandomSearch } from "../../src/search/random-search.ts";
import { Scalarised } from "../../src/search/scalarised.ts";
import { countWeighings, weighingsOf } from "../../src/search/weighings.ts";

const start: OptimizerOptions = { start: Float64Array.of(0.5), sigma: 0.2, seed: 1, objectives: [1 / 2, 1 / 2] };

describe("weighings", () => {
  test("are the shares first, and then evenly between objectives alone", () => {
    expect(weighingsOf([0.5, 0.5], 5)).toEqual([
      [0.5, 0.5],
      [1, 0],
      [0.75, 0.25],
      [0.25, 0.75],
      [0, 1],
    ]);
  });

  test("go with the shares, but for the ends", () => {
    const [first, ...others] = weighingsOf([0.8, 0.2], 3);
    expect([first, ...others]).toEqual([
      [0.8, 0.2],
      [1, 0],
      [0, 1],
    ]);
  });

  test("are the finest lattice that has no more of them than are wanted", () => {
    expect([2, 3, 4, 5, 7, 8].map((most) => countWeighings(2, most))).toEqual([3, 3, 3, 5, 7, 7]);
    expect([3, 4, 6, 7, 10].map((most) => countWeighings(3, most))).toEqual([4, 4, 4, 7, 10]);
    expect([1, 2, 3, 4, 9].map((objectives) => countWeighings(objectives))).toEqual([1, 5, 7, 5, 10]);
  });

  test("sum to one", () => {
    for (const weights of weighingsOf([0.5, 0.3, 0.2], 20)) expect(weights.reduce((a, b) => a + b)).toBeCloseTo(1, 12);
  });
});

describe("a search by several weighings", () => {
  test("leads each walk to the least of its own sum of losses", () => {
    const search = new Scalarised(start, (own) => new GradientWalk(own));
    for (let generation = 0; generation < 200; generation++) {
      const candidates = search.ask();
      const scores = candidates.map(({ point: [x = 0], weights: [a = 0, b = 0] = [] }) => ({
        loss: Number.NaN,
        losses: [(x - 0.2) ** 2, (x - 0.8) ** 2],
        gradient: Float64Array.of(2 * a * (x - 0.2) + 2 * b * (x - 0.8)),
      }));
      search.tell(scores, generation / 200);
    }
    const found = search.front.map(([x]) => x);
    for (const [i, expected] of [0.5, 0.2, 0.35, 0.65, 0.8].entries()) expect(found[i]).toBeCloseTo(expected, 2);
    expect(search.recommend()).toEqual(search.front[0]);
  });

  test("has one reference, that of the combined loss", () => {
    const search = new Scalarised(start, (own) => new RandomSearch({ ...own, populationSize: 4 }));
    const candidates = search.ask();
    expect(candidates).toHaveLength(search.candidates);
    expect(candidates.filter(({ isReference }) => isReference)).toHaveLength(1);
    expect(candidates.find(({ isReference }) => isReference)?.weights).toEqual([0.5, 0.5]);
  });

  test("begins the walks at the points that are given, and at the start where there are no more", () => {
    const inject = [Float64Array.of(0.1), Float64Array.of(0.2)];
    const search = new Scalarised({ ...start, inject }, (own) => new GradientWalk(own));
    expect(search.ask().map(({ point: [x] }) => x)).toEqual([0.5, 0.1, 0.2, 0.5, 0.5]);
  });
});
