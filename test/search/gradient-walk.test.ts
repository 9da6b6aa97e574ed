import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Candidate } from "../../src/search/optimizer.ts";
import { GradientWalk } from "../../src/search/gradient-walk.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { type Landscape, run } from "./landscapes.ts";

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
    const walk = new GradientWalk({ ...options, start: Float64Array.from(start), rates: ratesOf(rate, start.length) });
    for (const [i, gradient] of gradients.entries()) {
      walk.ask();
      walk.tell([{ loss: 1, gradient: Float64Array.from(gradient) }], i / (gradients.length - 1));
      if (i > 0) expectClose(walk.recommend(), points[i - 1]!);
    }
    const [last] = walk.ask();
    expectClose(last!.point, points.at(-1)!);
  });

  test("tries a step that failed again at half its length, and goes on at full length where that succeeds", () => {
    const walk = new GradientWalk({ ...options, rates: ratesOf(0.1, 2) });
    const gradient = Float64Array.of(1, 1);
    const visited = [1, NaN, NaN, 1, 1].map((loss) => {
      const [{ point }] = walk.ask() as [Candidate];
      walk.tell([{ loss, gradient }], 0);
      return point[0]!;
    });
    for (const [i, expected] of [0.5, 0.4, 0.45, 0.475, 0.375].entries()) expect(visited[i]).toBeCloseTo(expected, 3);
  });

  test("keeps to a bound that it is driven to, and comes back when it is driven back", () => {
    const walk = new GradientWalk({ ...options, rates: ratesOf(0.2, 2) });
    run(walk, slope(1), 20);
    expect(walk.recommend()).toEqual(Float64Array.of(0, 0));
    run(walk, slope(-1), 60);
    expect(walk.recommend()).toEqual(Float64Array.of(1, 1));
  });

  test("steps by the rate of the coordinate at first and by a twentieth of it once the search is spent", () => {
    const walk = new GradientWalk({ ...options, rates: Float64Array.of(0.01, 0.005) });
    const points = [0, 0.5, 1, 1.1, 0, 0].map((spent) => {
      const [{ point }] = walk.ask() as [Candidate];
      walk.tell([{ loss: 1, gradient: Float64Array.of(1, 7) }], spent);
      return point;
    });
    const steps = points.slice(1).map((point, i) => point.map((value, j) => points[i]![j]! - value));
    for (const [i, factor] of [1, 0.525, 0.05, 0.05, 1].entries()) {
      expect(steps[i]![0]).toBeCloseTo(factor * 0.01, 12);
      expect(steps[i]![1]).toBeCloseTo(factor * 0.005, 12);
    }
  });

  test("has converged where the gradient vanishes for a while", () => {
    const walk = new GradientWalk(options);
    run(walk, slope(0), 9);
    expect(walk.converged).toBe(false);
    run(walk, slope(0), 1);
    expect(walk.converged).toBe(true);
    run(walk, slope(1), 1);
    expect(walk.converged).toBe(false);
  });

  test("has not converged where momentum passes zero, or some rows drive it against its bound", () => {
    for (const start of [0.5, 1]) {
      const random = RandomStream.of(1, "noise");
      const walk = new GradientWalk({ ...options, start: Float64Array.of(start) });
      const noisy: Landscape = {
        loss: () => 1,
        gradient: (x) => x.map((value) => value - 0.7 + 0.6 * random.normal()),
      };
      for (let generation = 0; generation < 150; generation++) {
        run(walk, noisy, 1);
        expect(walk.converged).toBe(false);
      }
    }
  });

  test("is stuck at once where its first point fails, and later only after many failures next to where it stands", () => {
    expect(stuckAfter(new GradientWalk(options), NaN)).toBe(true);
    const walk = new GradientWalk(options);
    expect(walk.isStuck).toBe(false);
    // Seven halvings make a step that is none.
    expect(stuckAfter(walk, 1, ...Array<number>(15).fill(NaN))).toBe(false);
    expect(stuckAfter(walk, NaN)).toBe(true);
    expect(stuckAfter(walk, 1)).toBe(false);
    expect(stuckAfter(walk, NaN)).toBe(false);
  });

  test("has not converged because its steps are short in a wide range, and the budget is spent", () => {
    const walk = new GradientWalk({ ...options, rates: ratesOf(0.01, 2) });
    for (let generation = 0; generation < 20; generation++) {
      const candidates = walk.ask();
      walk.tell(
        candidates.map(() => ({ loss: 1, gradient: Float64Array.of(1, 1) })),
        1,
      );
      expect(walk.converged).toBe(false);
    }
  });
});

/** Tells a walk these losses, and whether it is stuck then. */
function stuckAfter(walk: GradientWalk, ...losses: readonly number[]): boolean {
  for (const loss of losses) {
    walk.ask();
    walk.tell([{ loss, gradient: Float64Array.of(1, 1) }], 0);
  }
  return walk.isStuck;
}

function expectClose(actual: Float64Array, expected: readonly number[]): void {
  expect(actual).toHaveLength(expected.length);
  for (const [j, value] of expected.entries()) expect(actual[j]).toBeCloseTo(value, 12);
}

function ratesOf(rate: number, dimension: number): Float64Array {
  return new Float64Array(dimension).fill(rate);
}

function slope(derivative: number): Landscape {
  return { loss: () => 1, gradient: (x) => x.map(() => derivative) };
}
