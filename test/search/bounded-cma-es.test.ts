import { describe, expect, test } from "vitest";
import { BoundedCmaEs } from "../../src/search/bounded-cma-es.ts";
import type { Loss } from "./test-functions.ts";

describe("bounded CMA-ES", () => {
  test("has converged once its step is small in all directions", () => {
    const search = new BoundedCmaEs({ start: Float64Array.of(0.5, 0.5), sigma: 0.2, seed: 1 });
    expect(search.converged).toBe(false);
    run(search, (x) => (x[0]! - 0.3) ** 2 + (x[1]! - 0.6) ** 2, 60);
    expect(search.converged).toBe(true);
  });

  test("has not converged while its step is large in one direction", () => {
    const start = Float64Array.of(0.5, 0.5);
    const converged = (large: number): boolean =>
      new BoundedCmaEs({ start, sigma: 1, scales: Float64Array.of(1e-5, large), seed: 1 }).converged;
    expect(converged(2e-3)).toBe(false);
    expect(converged(5e-4)).toBe(true);
  });

  test("finds the corner of the cube at the end of a slope in ten dimensions", () => {
    const search = new BoundedCmaEs({ start: new Float64Array(10).fill(0.5), sigma: 0.2, seed: 1 });
    run(search, (x) => x.reduce((sum, value, i) => sum + (i % 2 === 0 ? value : -value), 0), 300);
    for (const [i, value] of search.recommend().entries()) expect(value).toBeCloseTo(i % 2, 6);
  });

  test("never samples wider than a third of the range", () => {
    const options = { start: Float64Array.of(0.5, 0.5), populationSize: 50, seed: 1 };
    const widest = new BoundedCmaEs({ ...options, sigma: 1 / 3 }).ask().flatMap(({ point }) => [...point]);
    const limited = new BoundedCmaEs({ ...options, sigma: 10 }).ask().flatMap(({ point }) => [...point]);
    for (const [i, value] of limited.entries()) expect(value).toBeCloseTo(widest[i]!, 12);
  });

  test("scales the first step per coordinate", () => {
    const scales = Float64Array.of(1, 1e-6);
    const search = new BoundedCmaEs({ start: Float64Array.of(0.5, 0.5), sigma: 0.2, scales, seed: 1 });
    for (const { point } of search.ask()) expect(Math.abs(point[1]! - 0.5)).toBeLessThan(1e-6);
  });
});

function run(search: BoundedCmaEs, loss: Loss, generations: number): void {
  for (let generation = 0; generation < generations; generation++)
    search.tell(search.ask().map(({ point }) => ({ loss: loss(point) })));
}
