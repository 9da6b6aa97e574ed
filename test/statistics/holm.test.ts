import { describe, expect, test } from "vitest";
import { holmAdjusted } from "../../src/statistics/holm.ts";

describe("holmAdjusted", () => {
  // By hand, from the steps of the paper.
  test.each([
    [[], []],
    [[0.04], [0.04]],
    [
      [0.01, 0.04, 0.03, 0.005],
      [0.03, 0.06, 0.06, 0.02],
    ],
    [
      [0.5, 0.5, 0.9, 0.012],
      [1, 1, 1, 0.048],
    ],
    [
      [0.02, 0.0201, 0.0001],
      [0.04, 0.04, 0.0003],
    ],
  ])("of %j", (pValues, expected) => {
    const adjusted = holmAdjusted(pValues);
    for (const [i, value] of adjusted.entries()) expect(value).toBeCloseTo(expected[i]!, 12);
    expect(adjusted).toHaveLength(pValues.length);
  });
});
