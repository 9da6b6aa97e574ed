import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { curveTerms } from "../../src/space/depth-curve.ts";
import { leastSquares } from "../../src/space/least-squares.ts";

const layers = 9;
const unit = fc.double({ min: -1, max: 1, noNaN: true });
const target = fc.array(unit, { minLength: layers, maxLength: layers });

function difference(columns: readonly (readonly number[])[], factors: readonly number[], values: number[]): number {
  return values.reduce((sum, value, l) => {
    const fitted = columns.reduce((sum, column, k) => sum + factors[k]! * column[l]!, 0);
    return sum + (value - fitted) ** 2;
  }, 0);
}

describe("leastSquares", () => {
  test("leaves no difference that any change of the factors would lessen", () => {
    const columns = fc
      .constantFrom(...(["dct", "knots", "blocks"] as const))
      .chain((curve) => fc.integer({ min: 2, max: layers }).map((terms) => curveTerms({ curve, terms }, layers)))
      .map((terms) => terms.map(({ values }) => values));
    fc.assert(
      fc.property(columns, target, fc.nat(), fc.constantFrom(-1e-3, 1e-3), (columns, values, at, by) => {
        const factors = leastSquares(columns, values);
        const changed = factors.map((factor, k) => (k === at % factors.length ? factor + by : factor));
        expect(difference(columns, factors, values)).toBeLessThan(difference(columns, changed, values));
      }),
    );
  });

  test("fits a line through points that no line meets", () => {
    const columns = [
      [1, 1, 1],
      [0, 1, 2],
    ];
    const [level, slope] = leastSquares(columns, [0, 2, 1]);
    expect(level).toBeCloseTo(0.5, 14);
    expect(slope).toBeCloseTo(0.5, 14);
  });
});
