import { describe, expect, test } from "vitest";
import { curveTerms, type Depth } from "../../src/space/depth-curve.ts";

const depths: Depth[] = [
  { curve: "constant" },
  { curve: "per-layer" },
  { curve: "dct", terms: 4 },
  { curve: "knots", terms: 3 },
  { curve: "blocks", terms: 3 },
];

function valuesOf(depth: Depth, layers: number): (readonly number[])[] {
  return curveTerms(depth, layers).map(({ values }) => values);
}

describe("curveTerms", () => {
  test("makes the cosines of the discrete cosine transform", () => {
    for (const layers of [1, 2, 5, 28, 80]) {
      for (const [k, { values }] of curveTerms({ curve: "dct", terms: 6 }, layers).entries()) {
        for (const [l, value] of values.entries()) {
          expect(value).toBeCloseTo(Math.cos((Math.PI * k * (l + 0.5)) / layers), 14);
        }
      }
    }
  });

  test("makes blocks that are runs of layers, and knots that are straight lines between even depths", () => {
    expect(valuesOf({ curve: "blocks", terms: 2 }, 5)).toEqual([
      [1, 1, 1, 0, 0],
      [0, 0, 0, 1, 1],
    ]);
    expect(valuesOf({ curve: "knots", terms: 3 }, 5)).toEqual([
      [1, 0.5, 0, 0, 0],
      [0, 0.5, 1, 0.5, 0],
      [0, 0, 0, 0.5, 1],
    ]);
    expect(valuesOf({ curve: "per-layer" }, 2)).toEqual([
      [1, 0],
      [0, 1],
    ]);
    expect(valuesOf({ curve: "constant" }, 3)).toEqual([[1, 1, 1]]);
  });

  test.each(depths)("has levels that sum to 1 and deviations that average to 0: $curve", (depth) => {
    for (const layers of [1, 2, 7, 32]) {
      const terms = curveTerms(depth, layers);
      for (let l = 0; l < layers; l++) {
        const level = terms.reduce((sum, { values, isLevel }) => sum + (isLevel ? values[l]! : 0), 0);
        expect(level).toBeCloseTo(1, 14);
      }
      for (const { values, isLevel } of terms) {
        if (!isLevel) expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(0, 12);
      }
    }
  });

  test.each(depths)("has no more terms than layers: $curve", (depth) => {
    expect(curveTerms(depth, 1)).toEqual([{ name: "", values: [1], isLevel: true }]);
    expect(curveTerms(depth, 2).length).toBeLessThanOrEqual(2);
  });
});
