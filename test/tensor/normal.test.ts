import * as fc from "fast-check";
import { expect, test } from "vitest";
import { upperQuantile, upperTail } from "../../src/tensor/normal.ts";

/** From tables of the normal distribution. */
const known = [
  [0, 0.5],
  [0.6744897501960817, 0.25],
  [1.2815515655446004, 0.1],
  [1.959963984540054, 0.025],
  [3.090232306167813, 1e-3],
  [4.753424308822899, 1e-6],
] as const;

test.each(known)("above %f standard deviations there is %f", (z, probability) => {
  expect(Math.abs(upperTail(z) - probability)).toBeLessThan(1e-13);
  expect(Math.abs(upperTail(-z) - (1 - probability))).toBeLessThan(1e-13);
  expect(Math.abs(upperQuantile(probability) - z)).toBeLessThan(1e-7);
});

test("a quantile has its probability above it, and beyond eight deviations there is nothing", () => {
  fc.assert(
    fc.property(fc.double({ min: 1e-4, max: 1 - 1e-4, noNaN: true }), (probability) => {
      expect(Math.abs(upperTail(upperQuantile(probability)) - probability)).toBeLessThan(1e-11);
    }),
  );
  expect(upperTail(9)).toBe(0);
  expect(upperTail(-9)).toBe(1);
});
