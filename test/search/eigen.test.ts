import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { symmetricEigen } from "../../src/search/eigen.ts";
import { RandomStream } from "../../src/tensor/random.ts";

type Matrix = readonly Float64Array[];

describe("symmetric eigendecomposition", () => {
  test("reconstructs random matrices from orthonormal vectors", () => {
    const entry = fc.oneof(
      { weight: 3, arbitrary: fc.integer({ min: -1000, max: 1000 }).map((value) => value / 1000) },
      { weight: 1, arbitrary: fc.constantFrom(0, 1, 1e-12, 1e6) },
    );
    const matrix = fc
      .integer({ min: 1, max: 12 })
      .chain((n) => fc.array(entry, { minLength: n * n, maxLength: n * n }).map((values) => symmetric(n, values)));
    fc.assert(
      fc.property(matrix, (sample) => expectDecomposition(sample, 1e-15)),
      { numRuns: 300 },
    );
  });

  test.each([
    ["zero", symmetric(3, [0, 0, 0, 0, 0, 0, 0, 0, 0])],
    ["the identity", symmetric(3, [1, 0, 0, 0, 1, 0, 0, 0, 1])],
    ["all ones", symmetric(3, [1, 1, 1, 1, 1, 1, 1, 1, 1])],
    ["a zero diagonal", symmetric(2, [0, 1, 1, 0])],
    ["a single number", symmetric(1, [-4])],
    ["tridiagonal with equal couplings", symmetric(4, [2, 1, 0, 0, 1, 2, 1, 0, 0, 1, 2, 1, 0, 0, 1, 2])],
  ])("decomposes %s", (_, matrix) => {
    expectDecomposition(matrix, 1e-15);
  });

  test("gives the eigenvalues of a matrix whose eigenvalues are known", () => {
    const n = 20;
    // Second differences with fixed ends: eigenvalues 2 - 2 cos(k pi / (n + 1)).
    const matrix = symmetric(
      n,
      Array.from({ length: n * n }, (_, k) => [2, -1][Math.abs(Math.floor(k / n) - (k % n))] ?? 0),
    );
    const values = symmetricEigen(matrix).values.toSorted();
    for (const [k, value] of values.entries()) {
      expect(value).toBeCloseTo(2 - 2 * Math.cos(((k + 1) * Math.PI) / (n + 1)), 13);
    }
  });

  test("decomposes 150 dimensions accurately and leaves its argument alone", () => {
    const random = RandomStream.of(1, "eigen");
    const matrix = symmetric(
      150,
      Array.from({ length: 150 * 150 }, () => random.normal()),
    );
    const before = matrix.map((row) => row.slice());
    expectDecomposition(matrix, 1e-15);
    expect(matrix).toEqual(before);
  });
});

/** The symmetric matrix with the upper triangle of these row-major values. */
function symmetric(n: number, values: readonly number[]): Matrix {
  return Array.from({ length: n }, (_, i) =>
    Float64Array.from({ length: n }, (_, j) => values[Math.min(i, j) * n + Math.max(i, j)]!),
  );
}

/** A v = lambda v up to rounding relative to A, and v_i . v_j = delta_ij; `tolerance` is per dimension. */
function expectDecomposition(matrix: Matrix, tolerance: number): void {
  const { values, vectors } = symmetricEigen(matrix);
  const size = Math.max(...matrix.map((row) => Math.sqrt(dot(row, row))));
  let residual = 0;
  let skewness = 0;
  for (const [k, vector] of vectors.entries()) {
    for (const [i, row] of matrix.entries()) {
      residual = Math.max(residual, Math.abs(dot(row, vector) - values[k]! * vector[i]!));
      skewness = Math.max(skewness, Math.abs(dot(vectors[i]!, vector) - (i === k ? 1 : 0)));
    }
  }
  expect(residual).toBeLessThanOrEqual(tolerance * matrix.length * size);
  expect(skewness).toBeLessThanOrEqual(tolerance * matrix.length);
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
