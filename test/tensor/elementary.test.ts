import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { arccosine, cosine, expWithinOne, ln, sine } from "../../src/tensor/elementary.ts";

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

  test("sines and cosines are the engine's, to the digits of 1 or of the angle", () => {
    fc.assert(
      fc.property(fc.double({ min: -1000, max: 1000, noNaN: true }), (x) => {
        const error = 4 * Number.EPSILON * Math.max(1, Math.abs(x));
        expect(Math.abs(sine(x) - Math.sin(x))).toBeLessThan(error);
        expect(Math.abs(cosine(x) - Math.cos(x))).toBeLessThan(error);
      }),
      { numRuns: 2000 },
    );
    expect(Math.max(...grid.filter((x) => x !== 0).map((x) => ulps(sine(x), Math.sin(x))))).toBeLessThan(2);
    expect([sine(0), arccosine(1), arccosine(1 + 1e-12), arccosine(-1)]).toEqual([0, 0, 0, Math.PI]);
  });

  test("arccosine agrees with the engine's within four units in the last place", () => {
    expect(Math.max(...grid.slice(0, -1).map((x) => ulps(arccosine(x), Math.acos(x))))).toBeLessThan(4);
  });

  test("exp agrees with the engine's exponential within two units in the last place", () => {
    expect(Math.max(...grid.map((x) => ulps(expWithinOne(x), Math.exp(x))))).toBeLessThan(2);
  });
});
