import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Candidate, Optimizer, OptimizerOptions, Score } from "../../src/search/optimizer.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { distanceTo, type Landscape, run, scoresOf, withLoss } from "./landscapes.ts";

type Create = (options: OptimizerOptions) => Optimizer;

/** How an optimizer differs from others. */
interface Traits {
  /** Distance from the optimum of a smooth function of two variables that it reaches in 300 generations. */
  readonly accuracy: number;
  /** Candidates of the first generation, the reference included, in so many dimensions. */
  readonly firstSize: (dimension: number) => number;
  /** Whether it is told gradients, and so more than the ranks of losses. */
  readonly usesGradients: boolean;
  /** Whether it has a population, of the size it is told, which may begin with given points; else it is one point and not random. */
  readonly hasPopulation: boolean;
}

/** What every optimizer promises. */
export function describeOptimizer(name: string, create: Create, traits: Traits): void {
  const { accuracy, firstSize, usesGradients, hasPopulation } = traits;
  const start = (n: number, options: Partial<OptimizerOptions> = {}): Optimizer =>
    create({ start: new Float64Array(n).fill(0.5), sigma: 0.2, seed: 1, ...options });

  describe(`optimizer ${name}`, () => {
    test.each([1, 2, 7])("proposes whole generations inside the unit cube in %i dimensions", (n) => {
      const optimizer = start(n, { sigma: 2 });
      expect(optimizer.candidates).toBe(firstSize(n));
      for (let generation = 0; generation < 100; generation++) {
        const size = optimizer.candidates;
        const candidates = optimizer.ask();
        expect(candidates).toHaveLength(size);
        expect(optimizer.candidates).toBe(size);
        expect(candidates.every(({ point }) => point.length === n && insideUnitCube(point))).toBe(true);
        optimizer.tell(scoresOf(candidates, distanceTo(0.3)), generation / 100);
        expect(insideUnitCube(optimizer.recommend())).toBe(true);
        expect(optimizer.generation).toBe(generation + 1);
      }
    });

    test("has one reference in every generation, and wants gradients only if it uses them", () => {
      for (const candidates of run(start(3), distanceTo(0.3), 100)) {
        expect(candidates.filter(({ isReference }) => isReference)).toHaveLength(1);
        expect(candidates.some(({ wantsGradient }) => wantsGradient)).toBe(usesGradients);
      }
    });

    test("recommends the start before anything is told", () => {
      expect(start(3, { start: Float64Array.of(0, 0.5, 1) }).recommend()).toEqual(Float64Array.of(0, 0.5, 1));
    });

    test("proposes the same for the same seed", () => {
      const trajectory = run(start(4), distanceTo(0.3), 20);
      expect(run(start(4), distanceTo(0.3), 20)).toEqual(trajectory);
    });

    test("continues identically after its scores are told again", () => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 30 }), fc.integer(), (generations, seed) => {
          const original = start(3, { seed });
          const recorded = Array.from({ length: generations }, (_, generation) => {
            const told = [scoresOf(original.ask(), distanceTo(0.3)), generation / generations] as const;
            original.tell(...told);
            return told;
          });
          const resumed = start(3, { seed });
          for (const told of recorded) {
            resumed.ask();
            resumed.tell(...told);
          }
          expect(resumed.recommend()).toEqual(original.recommend());
          expect(run(resumed, distanceTo(0.3), 3)).toEqual(run(original, distanceTo(0.3), 3));
        }),
        { numRuns: 25 },
      );
    });

    test("does not share its arrays with its caller", () => {
      const own = [Float64Array.of(0.5, 0.5), Float64Array.of(0.1, 0.9), Float64Array.of(1, 0.5)] as const;
      const [point, injected, scales] = own;
      const exposed = start(2, { start: point, inject: [injected], scales });
      const untouched = start(2, { inject: [Float64Array.of(0.1, 0.9)], scales: Float64Array.of(1, 0.5) });
      for (let generation = 0; generation < 10; generation++) {
        const candidates = exposed.ask();
        expect(candidates).toEqual(untouched.ask());
        const scores = scoresOf(candidates, distanceTo(0.3));
        untouched.tell(scoresOf(candidates, distanceTo(0.3)), 0);
        for (const array of [...candidates.map(arrayOf), exposed.recommend(), ...own]) array.fill(0);
        exposed.tell(scores, 0);
        for (const { gradient } of scores) gradient?.fill(0);
        expect(exposed.recommend()).toEqual(untouched.recommend());
      }
    });

    test("does not depend on the unit of the loss", () => {
      const { loss, gradient } = distanceTo(0.3);
      const unit = 2 ** -30;
      const small = {
        loss: (x: Float64Array) => unit * loss(x),
        gradient: (x: Float64Array) => gradient(x).map((d) => unit * d),
      };
      expect(run(start(5), small, 60)).toEqual(run(start(5), { loss, gradient }, 60));
    });

    test.skipIf(usesGradients)("sees the ranks of losses only", () => {
      const trajectory = run(start(5), distanceTo(0.3), 60);
      for (const change of [Math.exp, (f: number) => f ** 3, (f: number) => -1 / (1e-3 + f)]) {
        expect(
          run(
            start(5),
            withLoss(distanceTo(0.3), (f) => change(f)),
            60,
          ),
        ).toEqual(trajectory);
      }
    });

    test("treats every loss that is not finite as the same failure", () => {
      const trajectory = run(start(3), failingOnTheLeft(NaN), 40);
      expect(run(start(3), failingOnTheLeft(Infinity), 40)).toEqual(trajectory);
      expect(run(start(3), failingOnTheLeft(-Infinity), 40)).toEqual(trajectory);
    });

    test.runIf(usesGradients)(
      "takes a gradient that is not finite for a failure, and misses one that it wanted",
      () => {
        const trajectory = run(start(3), failingOnTheLeft(NaN), 40);
        const { loss, gradient } = distanceTo(0.3);
        const broken = { loss, gradient: (x: Float64Array) => (x[0]! < 0.45 ? gradient(x).fill(NaN, 2) : gradient(x)) };
        expect(run(start(3), broken, 40)).toEqual(trajectory);
        const optimizer = start(3);
        const scores = optimizer.ask().map((): Score => ({ loss: 1 }));
        expect(() => optimizer.tell(scores, 0)).toThrow("no gradient for a candidate that wants one");
      },
    );

    test("recommends a point that does not fail, next to the failing region that holds the optimum", () => {
      const optimizer = start(2, { start: Float64Array.of(0.9, 0.9) });
      run(optimizer, failingOnTheLeft(NaN), 300);
      const found = optimizer.recommend();
      expect(found[0]).toBeGreaterThanOrEqual(0.45);
      expect(found[0]).toBeLessThan(0.45 + accuracy);
      // A gradient does not tell of the region, so that a walk by it stays where it met it.
      if (!usesGradients) expect(Math.abs(found[1]! - 0.3)).toBeLessThan(accuracy);
    });

    test("keeps its recommendation through generations that fail entirely", () => {
      const optimizer = start(3);
      run(optimizer, distanceTo(0.3), 5);
      const before = optimizer.recommend();
      run(
        optimizer,
        withLoss(distanceTo(0.3), () => NaN),
        200,
      );
      expect(optimizer.recommend()).toEqual(before);
      expect(optimizer.ask().map(arrayOf).every(insideUnitCube)).toBe(true);
    });

    test("survives random losses and a constant loss", () => {
      const random = RandomStream.of(1, "noise");
      const noise: Landscape = { loss: () => random.uniform(), gradient: (x) => x.map(() => random.normal()) };
      for (const landscape of [noise, { loss: () => 1, gradient: (x: Float64Array) => x.map(() => 0) }]) {
        const optimizer = start(4);
        run(optimizer, landscape, 1000);
        expect(optimizer.ask().map(arrayOf).every(insideUnitCube)).toBe(true);
      }
    });

    test.each([
      ["inside", 0.3],
      ["at the lower bounds", 0],
      ["at the upper bounds", 1],
    ])("finds an optimum %s", (_, target) => {
      const optimizer = start(2);
      run(optimizer, distanceTo(target), 300);
      expect(distanceTo(target).loss(optimizer.recommend())).toBeLessThan(accuracy);
    });

    test("leaves a bound that it starts from", () => {
      const optimizer = start(2, { start: Float64Array.of(0, 1), sigma: 0.1 });
      run(optimizer, distanceTo(0.6), 300);
      expect(distanceTo(0.6).loss(optimizer.recommend())).toBeLessThan(accuracy);
    });

    test("refuses to ask twice, to tell before asking and to be told a wrong number of scores", () => {
      const optimizer = start(2);
      expect(() => optimizer.tell([], 0)).toThrow("tell() was called without an ask()");
      const candidates = optimizer.ask();
      expect(() => optimizer.ask()).toThrow("ask() was called twice");
      const scores = scoresOf(candidates, distanceTo(0.3));
      expect(() => optimizer.tell([...scores, { loss: 1 }], 0)).toThrow(/tell\(\) got \d+ scores for \d+ candidates/);
      optimizer.tell(scores, 0);
      expect(optimizer.generation).toBe(1);
    });

    describe.runIf(hasPopulation)("with its population", () => {
      test("asks as many candidates as it is told to", () => {
        const more = start(3, { populationSize: 17 }).ask().length - start(3, { populationSize: 8 }).ask().length;
        expect(more).toBe(9);
      });

      test("proposes something else for another seed", () => {
        const trajectory = run(start(4), distanceTo(0.3), 20);
        expect(run(start(4, { seed: 2 }), distanceTo(0.3), 20)).not.toEqual(trajectory);
      });

      test("contains injected points exactly, in the first generation only", () => {
        const inject = [Float64Array.of(0, 1, 0.5), Float64Array.of(0.02, 0.99, 0.7)];
        const optimizer = start(3, { sigma: 0.01, inject });
        const first = optimizer.ask();
        for (const point of inject) expect(first.some((candidate) => isClose(candidate.point, point))).toBe(true);
        optimizer.tell(scoresOf(first, distanceTo(0.3)), 0);
        const second = optimizer.ask();
        for (const point of inject) expect(second.some((candidate) => isClose(candidate.point, point))).toBe(false);
      });
    });
  });
}

function arrayOf({ point }: Candidate): Float64Array {
  return point;
}

/** The distance to 0.3, but a failure where the first coordinate is below 0.45. */
function failingOnTheLeft(failure: number): Landscape {
  return withLoss(distanceTo(0.3), (loss, x) => (x[0]! < 0.45 ? failure : loss));
}

function insideUnitCube(x: Float64Array): boolean {
  return x.every((value) => value >= 0 && value <= 1);
}

function isClose(a: Float64Array, b: Float64Array): boolean {
  return a.every((value, j) => Math.abs(value - b[j]!) < 1e-14);
}
