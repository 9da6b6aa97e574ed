import { describe, expect, test } from "vitest";
import { Pace } from "../../src/evaluate/pace.ts";

describe("the pace of passes", () => {
  test("gives one batch to the first pass, of which nothing is known", () => {
    expect(new Pace().tokensIn(180_000, 12)).toBe(0);
  });

  test("is that of the last pass, without its waiting for weights", () => {
    const pace = new Pace();
    pace.learn({ tokens: 2048, candidates: 12, ms: 99_999, waitMs: 99_999 });
    pace.learn({ tokens: 1000, candidates: 10, ms: 21_000, waitMs: 1000 });
    expect(pace.tokensIn(180_000, 10)).toBe(9000);
    expect(pace.tokensIn(180_000, 5)).toBe(18_000);
  });

  test("lets a pass compute for as long as the parents take to come, but not without end", () => {
    const pace = new Pace();
    pace.learn({ tokens: 100, candidates: 1, ms: 301_000, waitMs: 300_000 });
    expect(pace.tokensIn(180_000, 1)).toBe(30_000);
    expect(pace.tokensIn(1000, 1)).toBe(1000);
    expect(pace.tokensIn(0, 1)).toBe(0);
  });

  test("bears a pass that took no time", () => {
    const pace = new Pace();
    pace.learn({ tokens: 100, candidates: 1, ms: 1, waitMs: 1 });
    expect(pace.tokensIn(1000, 3)).toBeGreaterThan(1e9);
  });
});
