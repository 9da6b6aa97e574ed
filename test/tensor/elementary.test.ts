import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expWithinOne, ln } from "../../src/tensor/elementary.ts";

const ulps = (a: number, b: number): number => Math.abs(a - b) / (Math.abs(b) * Number.EPSILON);
const grid = Array.from({ length: 2001 }, (_, i) => i / 1000 - 1);

describe("elementary functions", () => {
  test("ln agrees with the engine's logarithm within two units in the last place", () => {
    fc.assert(
      fc.property(
        fc.double({ min: 2 ** -1000, max: 2 ** 1000, noNaN: true }),
        (x) => x === 1 || ulps(ln(x), Math.log(x)) < 2,
      ),
      { numRuns: 2000 },
    );
    const nearOne = grid.map((x) => 1 + x / 2).filter((x) => x !== 1);
    expect(Math.max(...nearOne.map((x) => ulps(ln(x), Math.log(x))))).toBeLessThan(2);
  });

  test("ln of one is exactly zero", () => {
    expect(ln(1)).toBe(0);
  });

  test("exp agrees with the engine's exponential within two units in the last place", () => {
    expect(Math.max(...grid.map((x) => ulps(expWithinOne(x), Math.exp(x))))).toBeLessThan(2);
  });
});
