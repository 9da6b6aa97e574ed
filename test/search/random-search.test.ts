import { describe, expect, test } from "vitest";
import { RandomSearch } from "../../src/search/random-search.ts";

describe("random search", () => {
  test("recommends the best point ever told", () => {
    const search = new RandomSearch({ start: Float64Array.of(0.5, 0.5), sigma: 0.2, seed: 1 });
    const first = search.ask();
    search.tell(first.map((_, i) => (i === 2 ? 1 : 5)));
    expect(search.mean).toEqual(first[2]);
    search.tell(search.ask().map(() => 1));
    expect(search.mean).toEqual(first[2]);
    const third = search.ask();
    search.tell(third.map((_, i) => (i === 1 ? 0 : 1)));
    expect(search.mean).toEqual(third[1]);
  });

  test("covers the whole cube, wherever it starts", () => {
    const start = Float64Array.of(0.9, 0.9);
    const search = new RandomSearch({ start, sigma: 0.01, populationSize: 1000, seed: 1 });
    const quadrants = new Set(search.ask().map((x) => x.map(Math.round).join(",")));
    expect(quadrants.size).toBe(4);
  });
});
