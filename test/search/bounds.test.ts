import { readFileSync } from "node:fs";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { intoUnitCube, outOfUnitCube } from "../../src/search/bounds.ts";

const image = (x: number): number => intoUnitCube(Float64Array.of(x))[0]!;
const slope = (x: number): number => (image(x + 1e-7) - image(x - 1e-7)) / 2e-7;
const origin = (y: number): number => outOfUnitCube(Float64Array.of(y))[0]!;

describe("bounds", () => {
  test("map the line as pycma's linear-quadratic transformation does", () => {
    const url = new URL("../fixtures/search/pycma-reference.json", import.meta.url);
    const { bounds } = JSON.parse(readFileSync(url, "utf8")) as { bounds: [number, number][] };
    for (const [x, expected] of bounds) expect(image(x)).toBeCloseTo(expected, 13);
  });

  test("map every number into [0, 1]", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(image(x)).toBeGreaterThanOrEqual(0);
        expect(image(x)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 2000 },
    );
  });

  test("leave the middle of the range exactly alone and reach both bounds", () => {
    for (const x of [0.05, 0.1, 1 / 3, 0.9, 0.95]) expect(image(x)).toBe(x);
    expect([image(-0.05), image(1.05)]).toEqual([0, 1]);
  });

  test("have a right inverse", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1, noNaN: true }), (y) => {
        expect(Math.abs(image(origin(y)) - y)).toBeLessThan(1e-15);
      }),
    );
    expect([origin(0), origin(0.5), origin(1)]).toEqual([-0.05, 0.5, 1.05]);
  });

  test("are periodic, symmetric about each turning point, and smooth where their pieces meet", () => {
    for (let x = -4; x <= 4; x += 0.013) {
      expect(image(x + 2.2)).toBeCloseTo(image(x), 12);
      expect(image(-0.05 - x)).toBeCloseTo(image(-0.05 + x), 12);
    }
    for (const [x, expected] of [
      [-0.05, 0],
      [0.05, 1],
      [0.95, 1],
      [1.05, 0],
      [1.15, -1],
      [2.05, -1],
    ] as const) {
      expect(slope(x)).toBeCloseTo(expected, 5);
    }
  });
});
