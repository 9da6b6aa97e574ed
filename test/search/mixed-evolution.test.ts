import { describe, expect, test } from "vitest";
import { MixedEvolution } from "../../src/search/mixed-evolution.ts";

const levels = [5, 2, 5, 2, 5, 0, 0, 1];
const start = Float64Array.from(levels, (count) => (count > 0 ? 0.5 / count : 0.9));

describe("mixed evolution", () => {
  test("changes levels or numbers of the best point, to values of the levels alone", () => {
    const search = new MixedEvolution({ start, levels, sigma: 0.2, seed: 1, populationSize: 40 });
    const children = search.ask().filter(({ isReference }) => !isReference);
    const changed = children.map(({ point }) => [...levels.keys()].filter((j) => point[j] !== start[j]));
    for (const [i, own] of changed.entries()) {
      expect(own.length).toBeGreaterThan(0);
      expect(new Set(own.map((j) => levels[j] === 0)).size).toBe(1);
      for (const j of own.filter((k) => levels[k]! > 0))
        expect((children[i]!.point[j]! * levels[j]! + 0.5) % 1).toBeCloseTo(0, 12);
    }
    expect(new Set(changed.flat())).toEqual(new Set([0, 1, 2, 3, 4, 5, 6]));
  });

  test.each([1, 2, 3, 4, 5])("finds levels of which none is nearer to the right one than another: seed %i", (seed) => {
    const search = new MixedEvolution({ start, levels, sigma: 0.1, seed });
    // Each counts only where those before it are right.
    const loss = (x: Float64Array): number => {
      const target = [3, 1, 2, 1, 4].map((value, j) => (value + 0.5) / levels[j]!);
      const wrong = target.findIndex((value, j) => Math.abs(x[j]! - value) > 1e-9);
      return (wrong < 0 ? 0 : target.length - wrong) + (x[5]! - 0.3) ** 2 + (x[6]! - 0.6) ** 2;
    };
    for (let generation = 0; generation < 120; generation++)
      search.tell(search.ask().map(({ point }) => ({ loss: loss(point) })));
    expect(loss(search.recommend())).toBeLessThan(1e-4);
  });
});
