import { expect, test } from "vitest";
import { isFlat } from "../../src/search/flatness.ts";

const flat = (losses: readonly number[], mean: number): boolean =>
  isFlat({ losses: [...losses, mean], reference: losses.length });

test("a generation is flat when all losses are within a ten-thousandth, or none is a number", () => {
  expect(flat([1, 1], 1)).toBe(true);
  expect(flat([Number.NaN, Number.NaN], Number.NaN)).toBe(true);
  expect(flat([1, 1 + 2 ** -50], 1)).toBe(true);
  expect(flat([2.7, 2.7001], 2.70005)).toBe(true);
  expect(flat([2.7, 2.7003], 2.7)).toBe(false);
  // The mean has gained, though the candidates are alike.
  expect(flat([1, 1], 0.99)).toBe(false);
  expect(flat([1, Number.NaN], 1)).toBe(false);
  // One that walks alone does not differ from others.
  expect(flat([], 1)).toBe(false);
  expect(flat([], Number.NaN)).toBe(true);
});
