import { describe, expect, test } from "vitest";
import { RandomSearch } from "../../src/search/random-search.ts";

describe("random search", () => {
  test("recommends a candidate that does better than its recommendation on the same rows", () => {
    const search = new RandomSearch({ start: Float64Array.of(0.5, 0.5), sigma: 0.2, seed: 1 });
    const first = tell(search, (i) => (i === 2 ? 1 : 5), 4);
    expect(search.recommend()).toEqual(first[2]);
    tell(search, () => 1, 1);
    expect(search.recommend()).toEqual(first[2]);
    const third = tell(search, (i) => (i === 1 ? 0 : 1), 1);
    expect(search.recommend()).toEqual(third[1]);
  });

  test("goes by how candidates compare on their rows, however easy the rows of other generations were", () => {
    const search = new RandomSearch({ start: Float64Array.of(1, 1), sigma: 0.2, populationSize: 20, seed: 3 });
    for (let generation = 0; generation < 50; generation++) {
      search.tell(search.ask().map(({ point }) => ({ loss: 10 * generation + Math.hypot(...point) })));
    }
    expect(Math.hypot(...search.recommend())).toBeLessThan(0.1);
  });

  test("takes any candidate that succeeds for a recommendation that fails", () => {
    const search = new RandomSearch({ start: Float64Array.of(0.5), sigma: 0.2, seed: 1 });
    const candidates = tell(search, (i) => (i === 1 ? 9 : NaN), NaN);
    expect(search.recommend()).toEqual(candidates[1]);
  });

  test("covers the whole cube, wherever it starts", () => {
    const start = Float64Array.of(0.9, 0.9);
    const search = new RandomSearch({ start, sigma: 0.01, populationSize: 1000, seed: 1 });
    const quadrants = new Set(search.ask().map(({ point }) => point.map(Math.round).join(",")));
    expect(quadrants.size).toBe(4);
  });
});

/** Tells losses by the index of the candidate, and that of the reference; returns the points that were asked. */
function tell(search: RandomSearch, lossOf: (index: number) => number, referenceLoss: number): Float64Array[] {
  const candidates = search.ask();
  search.tell(candidates.map(({ isReference }, i) => ({ loss: isReference ? referenceLoss : lossOf(i) })));
  return candidates.map(({ point }) => point);
}
