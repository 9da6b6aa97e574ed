import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { BoundedCmaEs } from "../../src/search/bounded-cma-es.ts";
import type { Optimizer, OptimizerOptions } from "../../src/search/optimizer.ts";
import { Restarts } from "../../src/search/restarts.ts";
import { type Landscape, run, scoresOf } from "./landscapes.ts";
import { rastrigin, type Loss, sphere } from "./test-functions.ts";

interface PycmaReference {
  readonly dimension: number;
  readonly target: number;
  readonly start: number;
  readonly sigma: number;
  readonly budget: number;
  readonly evaluations: readonly (number | null)[];
  readonly withoutRestarts: readonly (number | null)[];
}

const pycma = JSON.parse(
  readFileSync(new URL("../fixtures/search/pycma-restarts.json", import.meta.url), "utf8"),
) as PycmaReference;

function search(options: Partial<OptimizerOptions> = {}): Restarts {
  return new Restarts(
    { start: Float64Array.of(0.5, 0.5), sigma: 0.2, seed: 1, ...options },
    (own) => new BoundedCmaEs(own),
  );
}

/** Around a point; `level` is added to all losses, as rows do that are harder. */
function bowl(at: readonly number[], level = 0): Landscape {
  return landscape((x) => level + sphere(x.map((value, j) => value - at[j]!)));
}

function landscape(loss: Loss): Landscape {
  return { loss, gradient: (x) => x };
}

/** Tells generations until the search begins again. */
function untilItBeginsAgain(optimizer: Optimizer, of: (generation: number) => Landscape): void {
  const before = optimizer.restart?.after;
  for (let generation = 0; optimizer.restart?.after === before; generation++) {
    if (generation === 1000) throw new Error("it has not converged");
    optimizer.tell(scoresOf(optimizer.ask(), of(generation)), 0);
  }
}

describe("an evolution strategy with restarts", () => {
  test("begins again where it has converged, from the start, with twice the population and what it had found beside it", () => {
    const optimizer = search();
    const [first] = run(optimizer, bowl([0.3, 0.6]), 1);
    untilItBeginsAgain(optimizer, () => bowl([0.3, 0.6]));
    const found = optimizer.recommend();
    expect(found[0]).toBeCloseTo(0.3, 2);
    expect(optimizer.converged).toBe(false);
    const again = optimizer.ask();
    expect(again).toHaveLength(2 * (first!.length - 1) + 2);
    expect(again.at(-1)).toEqual({ point: found, wantsGradient: false, isReference: true });
    expect(again.at(-2)!.point).toEqual(Float64Array.of(0.5, 0.5));
    const spread = Math.max(...again.slice(0, -2).map(({ point }) => Math.abs(point[0]! - 0.5)));
    expect(spread).toBeGreaterThan(0.1);
  });

  test("begins again where losses stay within a ten-thousandth, unless they did from the beginning", () => {
    const flattening = landscape((x) => Math.max(1, bowl([0.3, 0.6], 0.999).loss(x)));
    const optimizer = search();
    untilItBeginsAgain(optimizer, () => flattening);
    expect(new BoundedCmaEs({ start: Float64Array.of(0.5, 0.5), sigma: 0.2, seed: 1 }).converged).toBe(false);
    const constant = search();
    run(
      constant,
      landscape(() => 1),
      20,
    );
    expect(constant.restart).toBeUndefined();
  });

  test("does not take a mean for better because it met easier rows", () => {
    const optimizer = search();
    untilItBeginsAgain(optimizer, () => bowl([0.3, 0.6], 5));
    const found = optimizer.recommend();
    // Nobody else comes near, and the rows become easier.
    const hidden = (generation: number): Landscape =>
      landscape((x) => (bowl([...found]).loss(x) < 1e-20 ? 0.1 : bowl([0.9, 0.1], 1).loss(x)) / (1 + generation));
    untilItBeginsAgain(optimizer, hidden);
    expect(optimizer.recommend()).toEqual(found);
  });

  test("takes the mean of a later run where that was better on the rows of its last generations, and keeps the other as a rival", () => {
    const optimizer = search();
    untilItBeginsAgain(optimizer, () => bowl([0.3, 0.6]));
    const found = optimizer.recommend();
    expect(optimizer.restart!.rivals).toEqual([]);
    run(optimizer, bowl([0.9, 0.1]), 1);
    expect(optimizer.recommend()).toEqual(found);
    expect(optimizer.restart!.rivals).toHaveLength(1);
    untilItBeginsAgain(optimizer, (generation) => bowl([0.9, 0.1], generation));
    expect(optimizer.recommend()[0]).toBeCloseTo(0.9, 2);
    expect(optimizer.restart!.rivals).toEqual([found]);
  });

  test("continues identically over a restart after its scores are told again", () => {
    const original = search({ seed: 3 });
    const told = Array.from({ length: 70 }, (_, generation) => {
      const scores = scoresOf(original.ask(), bowl([0.3, 0.6], generation % 7));
      original.tell(scores, 0);
      return scores;
    });
    expect(original.restart!.after).toBeGreaterThan(0);
    const resumed = search({ seed: 3 });
    for (const scores of told) {
      resumed.ask();
      resumed.tell(scores, 0);
    }
    expect(resumed.restart).toEqual(original.restart);
    expect(run(resumed, bowl([0.3, 0.6]), 5)).toEqual(run(original, bowl([0.3, 0.6]), 5));
  });

  test("has a larger population only where its budget has room for as many generations as the last run took", () => {
    for (const budget of [1000, 1500, 2000, 4000, 8000]) {
      const optimizer = search({ start: new Float64Array(4).fill(0.8), sigma: 0.3 });
      const runs = runsWithin(optimizer, budget);
      const [first, last, before] = [runs[0]!, runs.at(-1)!, runs.at(-2)!];
      expect(last.size).toBeLessThanOrEqual(2 * before.size);
      // The means that are scored beside a population are not counted in it.
      if (last.size > first.size) expect(last.generations).toBeGreaterThan(0.8 * before.generations);
      const spent = runs.reduce((sum, { scored }) => sum + scored, 0);
      expect(budget - spent).toBeLessThan(last.size + 2);
    }
  });

  test("finds the best of many optima as often as pycma's does, and for about as many evaluations", () => {
    const { dimension, start, sigma, evaluations, withoutRestarts } = pycma;
    const own = evaluations.map((_, seed) =>
      evaluationsOf(search({ start: new Float64Array(dimension).fill(start), sigma, seed })),
    );
    expect(own.filter(Number.isFinite).length).toBeGreaterThanOrEqual(found(evaluations).length - 1);
    expect(found(withoutRestarts).length).toBeLessThan(found(evaluations).length / 2);
    // Its references, which pycma does not score, are a twelfth of them. Fewer seeds tell nothing: medians of 15 differ by half.
    expect(median(own)).toBeLessThan(1.2 * median(evaluations.map((count) => count ?? Infinity)));
  });
});

/** What a search of so many evaluations is spent on, one run after the other. */
function runsWithin(
  optimizer: Restarts,
  budget: number,
): readonly { readonly size: number; readonly generations: number; readonly scored: number }[] {
  const runs: { size: number; generations: number; scored: number }[] = [];
  let before: number | undefined;
  for (let spent = 0; spent + optimizer.candidates <= budget;) {
    const { after } = optimizer.restart ?? {};
    const candidates = optimizer.ask();
    if (runs.length === 0 || after !== before) {
      runs.push({ size: candidates.length - (after === undefined ? 1 : 2), generations: 0, scored: 0 });
    }
    before = after;
    runs.at(-1)!.generations++;
    runs.at(-1)!.scored += candidates.length;
    spent += candidates.length;
    optimizer.tell(scoresOf(candidates, hilly), spent / budget);
  }
  return runs;
}

function found(evaluations: readonly (number | null)[]): readonly (number | null)[] {
  return evaluations.filter((count) => count !== null);
}

/** As pycma-restarts.py has it. */
const hilly = landscape((x) => rastrigin(x.map((value) => 10 * (value - 0.37))));

/** Index of the first evaluation below the target; Infinity when it takes more than the budget. */
function evaluationsOf(optimizer: Optimizer): number {
  for (let count = 0; count < pycma.budget;) {
    const candidates = optimizer.ask();
    const scores = scoresOf(candidates, hilly);
    const hit = scores.findIndex((score) => score.loss < pycma.target);
    if (hit >= 0) return count + hit + 1;
    count += scores.length;
    optimizer.tell(scores, 0);
  }
  return Infinity;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
