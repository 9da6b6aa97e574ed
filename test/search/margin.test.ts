import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BoundedCmaEs } from "../../src/search/bounded-cma-es.ts";
import { Margin } from "../../src/search/margin.ts";
import { upperTail } from "../../src/tensor/normal.ts";

describe("the margin", () => {
  test("is none where coordinates may have any value", () => {
    const margin = new Margin([0, 0], 10);
    const sample = Float64Array.of(0.3, 0.97);
    const before = margin.into(sample);
    margin.correct(sample, Float64Array.of(1e-9, 1e-9));
    expect(margin.into(sample)).toEqual(before);
  });

  test("keeps a probability for the values beside that of a mean, however far a distribution has contracted", () => {
    const sizes = fc.record({
      levels: fc.integer({ min: 2, max: 9 }),
      mean: fc.double({ min: -0.2, max: 1.2, noNaN: true }),
      deviation: fc.double({ min: 1e-9, max: 0.5, noNaN: true }),
      population: fc.integer({ min: 4, max: 100 }),
    });
    fc.assert(
      fc.property(sizes, ({ levels, mean, deviation, population }) => {
        const margin = new Margin([levels], population);
        const valueAt = (z: number): number => margin.into(Float64Array.of(mean + z * deviation))[0]!;
        const before = valueAt(0);
        margin.correct(Float64Array.of(mean), Float64Array.of(deviation));
        // The mean keeps its value, and at the quantile of the margin there is another.
        expect(valueAt(0)).toBe(before);
        const part = Math.floor(before * levels);
        const least = 1 / population / 2 - 1e-9;
        const tail = (sign: 1 | -1): number => {
          let [near, far] = [0, 8];
          for (let i = 0; i < 60; i++) {
            const middle = (near + far) / 2;
            if (valueAt(sign * middle) === before) near = middle;
            else far = middle;
          }
          return upperTail(far);
        };
        if (part > 0) expect(tail(-1)).toBeGreaterThan(least);
        if (part < levels - 1) expect(tail(1)).toBeGreaterThan(least);
      }),
    );
  });
});

describe("CMA-ES with margin", () => {
  const levels = [5, 2, 5, 2, 5, 0, 0];
  const start = Float64Array.from(levels, (count) => (count > 0 ? 0.5 / count : 0.9));

  test("asks for and recommends values of the levels alone, its start among them", () => {
    const search = new BoundedCmaEs({ start, levels, sigma: 0.2, seed: 1 });
    expect(search.recommend()).toEqual(start);
    for (const { point } of search.ask()) {
      for (const [j, count] of levels.entries())
        if (count > 0) expect((point[j]! * count + 0.5) % 1).toBeCloseTo(0, 12);
    }
  });

  test.each([1, 2, 3, 4, 5])("finds whole numbers and others that a sum of squares depends on: seed %i", (seed) => {
    const search = new BoundedCmaEs({ start, levels, sigma: 0.1, seed });
    const target = [0.7, 0.75, 0.5, 0.75, 0.9, 0.3, 0.6];
    const loss = (x: Float64Array): number => x.reduce((sum, value, j) => sum + (value - target[j]!) ** 2, 0);
    for (let generation = 0; generation < 150; generation++)
      search.tell(search.ask().map(({ point }) => ({ loss: loss(point) })));
    expect(loss(search.recommend())).toBeLessThan(1e-6);
  });
});
