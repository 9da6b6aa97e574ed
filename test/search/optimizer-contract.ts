import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Optimizer, OptimizerOptions } from "../../src/search/optimizer.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import type { Loss } from "./test-functions.ts";

type Create = (options: OptimizerOptions) => Optimizer;

/**
 * What every optimizer promises. `accuracy` is the distance from the optimum of a smooth function of two variables
 * that it reaches in 300 generations.
 */
export function describeOptimizer(name: string, create: Create, accuracy: number): void {
  const start = (n: number, options: Partial<OptimizerOptions> = {}): Optimizer =>
    create({ start: new Float64Array(n).fill(0.5), sigma: 0.2, seed: 1, ...options });

  describe(`optimizer ${name}`, () => {
    test.each([1, 2, 7])("proposes whole generations inside the unit cube in %i dimensions", (n) => {
      const optimizer = start(n, { sigma: 2 });
      for (let generation = 0; generation < 100; generation++) {
        const candidates = optimizer.ask();
        expect(candidates).toHaveLength(4 + Math.floor(3 * Math.log(n)));
        expect(candidates.every((x) => x.length === n && insideUnitCube(x))).toBe(true);
        optimizer.tell(candidates.map(distanceTo(0.3)), distanceTo(0.3)(optimizer.mean));
        expect(insideUnitCube(optimizer.mean)).toBe(true);
        expect(optimizer.generation).toBe(generation + 1);
      }
    });

    test("asks as many candidates as it is told to", () => {
      expect(start(3, { populationSize: 17 }).ask()).toHaveLength(17);
    });

    test("recommends the start before anything is told", () => {
      expect(start(3, { start: Float64Array.of(0, 0.5, 1) }).mean).toEqual(Float64Array.of(0, 0.5, 1));
    });

    test("proposes the same for the same seed and something else for another", () => {
      const loss = distanceTo(0.3);
      const trajectory = run(start(4), loss, 20);
      expect(run(start(4), loss, 20)).toEqual(trajectory);
      expect(run(start(4, { seed: 2 }), loss, 20)).not.toEqual(trajectory);
    });

    test("continues identically after its losses are told again", () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 30 }), fc.integer(), (generations, seed) => {
          const original = start(3, { seed });
          const recorded = Array.from({ length: generations }, () => {
            const told = [original.ask().map(distanceTo(0.3)), distanceTo(0.3)(original.mean)] as const;
            original.tell(...told);
            return told;
          });
          const resumed = start(3, { seed });
          for (const told of recorded) {
            resumed.ask();
            resumed.tell(...told);
          }
          expect(resumed.mean).toEqual(original.mean);
          expect(run(resumed, distanceTo(0.3), 3)).toEqual(run(original, distanceTo(0.3), 3));
        }),
        { numRuns: 25 },
      );
    });

    test("does not share its arrays with its caller", () => {
      const point = Float64Array.of(0.5, 0.5);
      const injected = Float64Array.of(0.1, 0.9);
      const exposed = start(2, { start: point, inject: [injected] });
      const untouched = start(2, { inject: [Float64Array.of(0.1, 0.9)] });
      for (let generation = 0; generation < 5; generation++) {
        const candidates = exposed.ask();
        expect(candidates).toEqual(untouched.ask());
        const told = [candidates.map(distanceTo(0.3)), distanceTo(0.3)(exposed.mean)] as const;
        for (const array of [...candidates, exposed.mean, point, injected]) array.fill(0);
        exposed.tell(...told);
        untouched.tell(...told);
        expect(exposed.mean).toEqual(untouched.mean);
      }
    });

    test("sees the ranks of losses only", () => {
      const loss = distanceTo(0.3);
      const trajectory = run(start(5), loss, 60);
      const transformations = [Math.exp, (f: number) => f ** 3, (f: number) => -1 / (1e-3 + f)];
      for (const transformation of transformations) {
        expect(run(start(5), (x) => transformation(loss(x)), 60)).toEqual(trajectory);
      }
    });

    test("treats every loss that is not finite as the same failure", () => {
      const trajectory = run(start(3), failingOnTheLeft(NaN), 40);
      expect(run(start(3), failingOnTheLeft(Infinity), 40)).toEqual(trajectory);
      expect(run(start(3), failingOnTheLeft(-Infinity), 40)).toEqual(trajectory);
    });

    test("recommends a point that does not fail, next to the failing region that holds the optimum", () => {
      const optimizer = start(2, { start: Float64Array.of(0.9, 0.9) });
      run(optimizer, failingOnTheLeft(NaN), 300);
      expect(optimizer.mean[0]).toBeGreaterThanOrEqual(0.45);
      expect(optimizer.mean[0]).toBeLessThan(0.45 + accuracy);
      expect(Math.abs(optimizer.mean[1]! - 0.3)).toBeLessThan(accuracy);
    });

    test("keeps its recommendation through generations that fail entirely", () => {
      const optimizer = start(3);
      run(optimizer, distanceTo(0.3), 5);
      const before = optimizer.mean;
      run(optimizer, () => NaN, 200);
      expect(optimizer.mean).toEqual(before);
      expect(optimizer.ask().every(insideUnitCube)).toBe(true);
    });

    test("survives random losses and a constant loss", () => {
      const random = RandomStream.of(1, "noise");
      for (const loss of [() => random.uniform(), () => 1]) {
        const optimizer = start(4);
        run(optimizer, loss, 1000);
        expect(optimizer.ask().every(insideUnitCube)).toBe(true);
      }
    });

    test.each([
      ["inside", 0.3],
      ["at the lower bounds", 0],
      ["at the upper bounds", 1],
    ])("finds an optimum %s", (_, target) => {
      const optimizer = start(2);
      run(optimizer, distanceTo(target), 300);
      expect(distanceTo(target)(optimizer.mean)).toBeLessThan(accuracy);
    });

    test("leaves a bound that it starts from", () => {
      const optimizer = start(2, { start: Float64Array.of(0, 1), sigma: 0.1 });
      run(optimizer, distanceTo(0.6), 300);
      expect(distanceTo(0.6)(optimizer.mean)).toBeLessThan(accuracy);
    });

    test("asks injected points first and exactly, in the first generation only", () => {
      const inject = [Float64Array.of(0, 1, 0.5), Float64Array.of(0.02, 0.99, 0.7)];
      const optimizer = start(3, { sigma: 0.01, inject });
      const first = optimizer.ask();
      for (const [i, point] of inject.entries()) {
        for (const [j, value] of point.entries()) expect(first[i]![j]).toBeCloseTo(value, 14);
      }
      optimizer.tell(first.map(distanceTo(0.3)), distanceTo(0.3)(optimizer.mean));
      expect(optimizer.ask()[0]).not.toEqual(first[0]);
    });

    test("refuses to ask twice, to tell before asking and to be told a wrong number of losses", () => {
      const optimizer = start(2);
      expect(() => optimizer.tell([], 0)).toThrow("tell() was called without an ask()");
      const candidates = optimizer.ask();
      expect(() => optimizer.ask()).toThrow("ask() was called twice");
      expect(() => optimizer.tell([1], 0)).toThrow(`tell() got 1 losses for ${candidates.length} candidates`);
      optimizer.tell(candidates.map(distanceTo(0.3)), distanceTo(0.3)(optimizer.mean));
      expect(optimizer.generation).toBe(1);
    });
  });
}

/** Everything asked in `generations` generations. */
function run(optimizer: Optimizer, loss: Loss, generations: number): Float64Array[][] {
  return Array.from({ length: generations }, () => {
    const candidates = optimizer.ask();
    optimizer.tell(candidates.map(loss), loss(optimizer.mean));
    return candidates;
  });
}

/** Euclidean distance to the point whose coordinates all are `target`. */
function distanceTo(target: number): Loss {
  return (x) => Math.sqrt(x.reduce((sum, value) => sum + (value - target) ** 2, 0));
}

/** The distance to 0.3, but a failure where the first coordinate is below 0.45. */
function failingOnTheLeft(failure: number): Loss {
  return (x) => (x[0]! < 0.45 ? failure : distanceTo(0.3)(x));
}

function insideUnitCube(x: Float64Array): boolean {
  return x.every((value) => value >= 0 && value <= 1);
}
