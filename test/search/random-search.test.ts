import { describe, expect, test } from "vitest";
import { RandomSearch } from "../../src/search/random-search.ts";

describe("random search", () => {
  test("recommends a candidate that does better than its recommendation on the same rows", () => {
    const search = new RandomSearch({ start: Float64Array.of(0.5, 0.5), sigma: 0.2, seed: 1 });
    const first = search.ask();
    search.tell(
      first.map((_, i) => (i === 2 ? 1 : 5)),
      4,
    );
    expect(search.mean).toEqual(first[2]);
    search.tell(
      search.ask().map(() => 1),
      1,
    );
    expect(search.mean).toEqual(first[2]);
    const third = search.ask();
    search.tell(
      third.map((_, i) => (i === 1 ? 0 : 1)),
      1,
    );
    expect(search.mean).toEqual(third[1]);
  });

  test("goes by how candidates compare on their rows, however easy the rows of other generations were", () => {
    const search = new RandomSearch({ start: Float64Array.of(1, 1), sigma: 0.2, populationSize: 20, seed: 3 });
    for (let generation = 0; generation < 50; generation++) {
      const difficulty = 10 * generation;
      search.tell(
        search.ask().map((x) => difficulty + Math.hypot(...x)),
        difficulty + Math.hypot(...search.mean),
      );
    }
    expect(Math.hypot(...search.mean)).toBeLessThan(0.1);
  });

  test("takes any candidate that succeeds for a recommendation that fails", () => {
    const search = new RandomSearch({ start: Float64Array.of(0.5), sigma: 0.2, seed: 1 });
    const candidates = search.ask();
    search.tell(
      candidates.map((_, i) => (i === 1 ? 9 : NaN)),
      NaN,
    );
    expect(search.mean).toEqual(candidates[1]);
  });

  test("covers the whole cube, wherever it starts", () => {
    const start = Float64Array.of(0.9, 0.9);
    const search = new RandomSearch({ start, sigma: 0.01, populationSize: 1000, seed: 1 });
    const quadrants = new Set(search.ask().map((x) => x.map(Math.round).join(",")));
    expect(quadrants.size).toBe(4);
  });
});
