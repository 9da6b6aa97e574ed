import { describe, expect, test } from "vitest";
import { rankSucceeded } from "../../src/search/generation.ts";

describe("ranking", () => {
  test("orders by loss, keeps the asked order of ties and leaves failures out", () => {
    expect(rankSucceeded([2, NaN, 1, 2, Infinity, -3, 1, -Infinity])).toEqual([5, 2, 6, 0, 3]);
  });

  test("tells losses apart whose difference overflows", () => {
    expect(rankSucceeded([Number.MAX_VALUE, -Number.MAX_VALUE])).toEqual([1, 0]);
  });

  test("of nothing but failures is empty", () => {
    expect(rankSucceeded([NaN, NaN])).toEqual([]);
  });
});
