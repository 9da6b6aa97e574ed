import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Candidate } from "../../src/search/optimizer.ts";
import { GradientWalk } from "../../src/search/gradient-walk.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { distanceTo, type Landscape, run } from "./landscapes.ts";

interface Trace {
  readonly start: number[];
  readonly rate: number;
  readonly gradients: number[][];
  readonly points: number[][];
}

const options = { start: Float64Array.of(0.5, 0.5), sigma: 0.1, seed: 1 };

describe("gradient walk", () => {
  test("visits the points that PyTorch's Adam with a falling rate visits", () => {
    const url = new URL("../fixtures/search/adam-trace.json", import.meta.url);
    const { start, rate, gradients, points } = JSON.parse(readFileSync(url, "utf8")) as Trace;
    const walk = new GradientWalk({ ...options, start: Float64Array.from(start), rate, steps: gradients.length });
    for (const [i, gradient] of gradients.entries()) {
      walk.ask();
      walk.tell([{ loss: 1, gradient: Float64Array.from(gradient) }]);
      if (i > 0) expectClose(walk.recommend(), points[i - 1]!);
    }
    const [last] = walk.ask();
    expectClose(last!.point, points.at(-1)!);
  });

  test("tries a step that failed again at half its length, and goes on at full length where that succeeds", () => {
    const walk = new GradientWalk({ ...options, rate: 0.1, steps: 1000 });
    const gradient = Float64Array.of(1, 1);
    const visited = [1, NaN, NaN, 1, 1].map((loss) => {
      const [{ point }] = walk.ask() as [Candidate];
      walk.tell([{ loss, gradient }]);
      return point[0]!;
    });
    for (const [i, expected] of [0.5, 0.4, 0.45, 0.475, 0.375].entries()) expect(visited[i]).toBeCloseTo(expected, 3);
  });

  test("keeps to a bound that it is driven to, and comes back when it is driven back", () => {
    const walk = new GradientWalk({ ...options, rate: 0.2, steps: 100 });
    run(walk, slope(1), 20);
    expect(walk.recommend()).toEqual(Float64Array.of(0, 0));
    run(walk, slope(-1), 60);
    expect(walk.recommend()).toEqual(Float64Array.of(1, 1));
  });

  test("steps by the rate at first and by a twentieth of it at last, times the scale of the coordinate", () => {
    const walk = new GradientWalk({ ...options, rate: 0.01, steps: 20, scales: Float64Array.of(1, 0.5) });
    const visited = run(walk, { loss: () => 1, gradient: () => Float64Array.of(1, 7) }, 25).map(([one]) => one!.point);
    const step = (i: number, j: number): number => visited[i]![j]! - visited[i + 1]![j]!;
    expect(step(0, 0)).toBeCloseTo(0.01, 12);
    expect(step(0, 1)).toBeCloseTo(0.005, 12);
    for (const last of [19, 20, 23]) expect(step(last, 0)).toBeCloseTo(0.0005, 12);
  });

  test("has converged where the gradient vanishes", () => {
    const walk = new GradientWalk(options);
    expect(walk.converged).toBe(false);
    run(walk, slope(0), 1);
    expect(walk.converged).toBe(true);
  });

  test("recommends, if told so, the mean of the later half of its points, which is nearer than the last of a walk at a high rate", () => {
    const distances = [false, true].map((averages) => {
      const errors = Array.from({ length: 20 }, (_, seed) => {
        const random = RandomStream.of(seed, "noise");
        const noisy: Landscape = {
          loss: () => 1,
          gradient: (x) => x.map((value) => value - 0.5 + 0.3 * random.normal()),
        };
        const start = new Float64Array(10).fill(0.6);
        const walk = new GradientWalk({ ...options, start, rate: 0.05, steps: 1000, averages });
        // A schedule that is cut short leaves the rate high.
        run(walk, noisy, 700);
        return distanceTo(0.5).loss(walk.recommend());
      });
      return errors.reduce((sum, error) => sum + error, 0) / errors.length;
    });
    expect(distances[1]).toBeLessThan(0.6 * distances[0]!);
  });
});

function expectClose(actual: Float64Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [j, value] of expected.entries()) expect(actual[j]).toBeCloseTo(value, 12);
}

function slope(derivative: number): Landscape {
  return { loss: () => 1, gradient: (x) => x.map(() => derivative) };
}
