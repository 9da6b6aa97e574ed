import { describe, expect, test } from "vitest";
import { FullCovariance } from "../../src/search/full-covariance.ts";

const first = Float64Array.of(1, 2, -1);
const second = Float64Array.of(0.5, -1, 3);

describe("full covariance", () => {
  test("begins as the square of the standard deviations", () => {
    const covariance = FullCovariance.diagonal(Float64Array.of(1, 2, 3));
    expect(covariance.matrix).toEqual(
      [
        [1, 0, 0],
        [0, 4, 0],
        [0, 0, 9],
      ].map((row) => Float64Array.from(row)),
    );
    expect(covariance.deviations).toEqual(Float64Array.of(1, 2, 3));
    expect(covariance.largestDeviation).toBe(3);
  });

  test("adds weighted outer products to what it keeps", () => {
    const covariance = updated();
    for (const [i, row] of covariance.matrix.entries()) {
      for (const [j, value] of row.entries()) {
        const kept = i === j ? 0.5 * [1, 4, 9][i]! : 0;
        expect(value).toBeCloseTo(kept + 2 * first[i]! * first[j]! - 0.1 * second[i]! * second[j]!, 14);
      }
    }
  });

  test("uses the roots of its latest factorization", () => {
    const covariance = updated();
    expect(covariance.color(first)).toEqual(Float64Array.of(1, 4, -3));
    covariance.factorize();
    expectClose(covariance.color(covariance.color(first)), timesMatrix(covariance, first));
    expectClose(covariance.whiten(covariance.color(second)), second);
  });

  test("rescales rows and columns", () => {
    const covariance = updated();
    const before = covariance.matrix;
    covariance.rescale(Float64Array.of(1, 0.5, 2));
    expect(covariance.matrix[0]).toEqual(Float64Array.of(before[0]![0]!, before[0]![1]! * 0.5, before[0]![2]! * 2));
    expect(covariance.matrix[1]![1]).toBe(before[1]![1]! * 0.25);
  });

  test("stays invertible when updates leave it singular", () => {
    const covariance = FullCovariance.diagonal(Float64Array.of(1, 1, 1));
    covariance.update(0, [{ weight: 1, vector: first }]);
    covariance.factorize();
    expect(covariance.whiten(second).every(Number.isFinite)).toBe(true);
    expect(covariance.largestDeviation).toBeCloseTo(Math.sqrt(6), 12);
  });
});

function updated(): FullCovariance {
  const covariance = FullCovariance.diagonal(Float64Array.of(1, 2, 3));
  covariance.update(0.5, [
    { weight: 2, vector: first },
    { weight: -0.1, vector: second },
  ]);
  return covariance;
}

function timesMatrix(covariance: FullCovariance, x: Float64Array): Float64Array {
  return Float64Array.from(covariance.matrix, (row) => row.reduce((sum, value, j) => sum + value * x[j]!, 0));
}

function expectClose(actual: Float64Array, expected: Float64Array): void {
  for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 12);
}
