import { describe, expect, test } from "vitest";
import { Pace, type Work } from "../../src/evaluate/pace.ts";

/** A machine whose passes wait, merge and compute in such times, and what it takes for some work. */
function machine({ waitMs = 0, passMs = 40, tokenMs = 0.05 } = {}): (work: Work, slowness?: number) => number {
  return ({ models, tokens, passes }, slowness = 1) =>
    passes * waitMs + slowness * models * (passes * passMs + tokens * tokenMs);
}

/** What a pace learns of a machine from works. */
function learned(pace: Pace, took: ReturnType<typeof machine>, works: readonly Work[], slowness = 1, waitMs = 0): Pace {
  for (const work of works) pace.learn({ ...work, ms: took(work, slowness), waitMs: work.passes * waitMs });
  return pace;
}

const probe = [
  { models: 1, tokens: 200, passes: 1 },
  { models: 1, tokens: 2000, passes: 1 },
];
const generation = { models: 13, tokens: 20_000, passes: 2 };

describe("the pace of scoring", () => {
  test("tells the fixed part of a pass from the part per token, from two sizes", () => {
    const took = machine({ waitMs: 900 });
    const pace = learned(new Pace(), took, probe, 1, 900);
    expect(pace.expectedMs(generation)).toBeCloseTo(took(generation), 6);
    expect(pace.slowestMs(generation)).toBeCloseTo(took(generation), 6);
  });

  test("puts all down to tokens where it has seen one size, so that it promises no less time than it takes", () => {
    const took = machine();
    const pace = learned(new Pace(), took, [{ models: 1, tokens: 200, passes: 1 }]);
    expect(pace.expectedMs(generation)).toBeGreaterThan(took(generation));
    expect(pace.expectedMs({ ...generation, tokens: 200, passes: 1 })).toBeCloseTo(
      13 * took({ models: 1, tokens: 200, passes: 1 }),
    );
  });

  test("follows a machine that gets slower, and remembers its slowest moment when it is fast again", () => {
    const took = machine();
    const pace = learned(new Pace(), took, [...probe, generation, generation]);
    learned(pace, took, [generation], 4);
    expect(pace.expectedMs(generation)).toBeGreaterThan(3.5 * took(generation));
    learned(pace, took, [generation]);
    expect(pace.expectedMs(generation)).toBeLessThan(1.7 * took(generation));
    expect(pace.slowestMs(generation)).toBeGreaterThan(2.5 * took(generation));
  });

  test("does not take the noise of a short scoring for a slow machine", () => {
    const took = machine({ passMs: 0.1, tokenMs: 0.001 });
    const pace = learned(new Pace(), took, [...probe, ...probe]);
    learned(pace, took, [{ models: 1, tokens: 200, passes: 1 }], 20);
    expect(pace.slowestMs(generation)).toBeLessThan(3 * took(generation));
  });

  test("does not wait for parents again that stay on the device", () => {
    const pace = new Pace();
    pace.learn({ models: 1, tokens: 200, passes: 1, ms: 5050, waitMs: 5000 });
    expect(pace.expectedMs({ models: 1, tokens: 200, passes: 1 })).toBe(5050);
    pace.learn({ models: 1, tokens: 2000, passes: 1, ms: 140, waitMs: 0 });
    expect(pace.slowestMs({ models: 1, tokens: 2000, passes: 1 })).toBeCloseTo(140);
  });

  test("bears work that took no time, and knows nothing at first", () => {
    const pace = new Pace();
    expect(pace.expectedMs(generation)).toBe(0);
    pace.learn({ models: 1, tokens: 100, passes: 1, ms: 1, waitMs: 1 });
    expect(pace.expectedMs(generation)).toBe(2);
    expect(pace.tokensIn(1000, 3)).toBeGreaterThan(1e9);
  });
});

describe("tokens in a time", () => {
  test("are none before anything was seen, then as many as fit behind the merges", () => {
    const pace = new Pace();
    expect(pace.tokensIn(180_000, 12)).toBe(0);
    learned(pace, machine({ tokenMs: 1 }), probe);
    expect(pace.tokensIn(10_400, 10)).toBe(1000);
  });

  test("take as long as the merges before them, however many models, but not without end", () => {
    const pace = learned(new Pace(), machine({ tokenMs: 1 }), probe);
    for (const [models, tokens] of [
      [10, 40],
      [100, 40],
      [1000, 4],
    ] as const) {
      expect(Math.abs(pace.tokensIn(400, models) - tokens)).toBeLessThanOrEqual(1);
    }
    expect(pace.tokensIn(0, 10)).toBe(0);
  });

  test("take as long as the parents take to come, but not without end", () => {
    const pace = new Pace();
    pace.learn({ models: 1, tokens: 100, passes: 1, ms: 301_000, waitMs: 300_000 });
    expect(pace.tokensIn(180_000, 1)).toBe(30_000);
    expect(pace.tokensIn(1000, 1)).toBe(1000);
    expect(pace.tokensIn(0, 1)).toBe(0);
  });
});
