import type { Covariance, RankOneTerm } from "./covariance.ts";
import { symmetricEigen } from "./eigen.ts";

/** Smallest ratio of two eigenvalues that is kept; beyond it rounding may turn the lesser one negative. */
const leastEigenvalueRatio = 1e-14;

/**
 * Any positive definite n x n matrix, with its square roots. The roots are those of the latest `factorize`, because an
 * eigendecomposition costs n times as much as an update. They are symmetric roots: unlike B D they do not depend on
 * the order and signs of eigenvectors, so nearby matrices give nearby samples.
 */
export class FullCovariance implements Covariance {
  readonly #matrix: readonly Float64Array[];
  #root: readonly Float64Array[] = [];
  #inverseRoot: readonly Float64Array[] = [];
  #largestDeviation = 0;

  /** Takes the rows of a symmetric matrix, which are its own from then on. */
  constructor(matrix: readonly Float64Array[]) {
    this.#matrix = matrix;
    this.factorize();
  }

  /** The diagonal matrix with these standard deviations. */
  static readonly diagonal = (deviations: Float64Array): FullCovariance =>
    new FullCovariance(
      Array.from(deviations, (deviation, i) => {
        const row = new Float64Array(deviations.length);
        row[i] = deviation * deviation;
        return row;
      }),
    );

  get matrix(): Float64Array[] {
    return this.#matrix.map((row) => row.slice());
  }

  get deviations(): Float64Array {
    return Float64Array.from(this.#matrix, (row, i) => Math.sqrt(row[i]!));
  }

  get largestDeviation(): number {
    return this.#largestDeviation;
  }

  color(z: Float64Array): Float64Array {
    return times(this.#root, z);
  }

  whiten(y: Float64Array): Float64Array {
    return times(this.#inverseRoot, y);
  }

  update(keep: number, terms: readonly RankOneTerm[]): void {
    const matrix = this.#matrix;
    for (const [i, row] of matrix.entries()) {
      for (let j = 0; j <= i; j++) row[j]! *= keep;
      for (const { weight, vector } of terms) {
        const factor = weight * vector[i]!;
        for (let j = 0; j <= i; j++) row[j]! += factor * vector[j]!;
      }
      for (let j = 0; j < i; j++) matrix[j]![i] = row[j]!;
    }
  }

  rescale(factors: Float64Array): void {
    for (const [i, row] of this.#matrix.entries()) {
      for (let j = 0; j < row.length; j++) row[j]! *= factors[i]! * factors[j]!;
    }
  }

  factorize(): void {
    const { values, vectors } = symmetricEigen(this.#matrix);
    const largest = values.reduce((a, b) => Math.max(a, b));
    const lift = Math.max(0, leastEigenvalueRatio * largest - values.reduce((a, b) => Math.min(a, b)));
    for (const [i, row] of this.#matrix.entries()) row[i]! += lift;
    const deviations = values.map((value) => Math.sqrt(value + lift));
    this.#root = spectralSum(deviations, vectors);
    this.#inverseRoot = spectralSum(
      deviations.map((deviation) => 1 / deviation),
      vectors,
    );
    this.#largestDeviation = deviations.reduce((a, b) => Math.max(a, b));
  }
}

/** The lower triangle of a symmetric matrix, row by row. */
export function triangleOf(matrix: readonly Float64Array[]): Float64Array {
  return Float64Array.from(matrix.flatMap((row, i) => [...row.subarray(0, i + 1)]));
}

/** The rows of the symmetric matrix with this lower triangle. */
export function fromTriangle(triangle: Float64Array, dimension: number): Float64Array[] {
  const rows = Array.from({ length: dimension }, () => new Float64Array(dimension));
  let next = 0;
  for (const [i, row] of rows.entries()) {
    for (let j = 0; j <= i; j++) {
      const value = triangle[next++]!;
      row[j] = value;
      rows[j]![i] = value;
    }
  }
  return rows;
}

/** The symmetric matrix with these eigenvalues and eigenvectors. */
function spectralSum(values: Float64Array, vectors: readonly Float64Array[]): Float64Array[] {
  const n = values.length;
  const rows = Array.from({ length: n }, () => new Float64Array(n));
  for (const [k, vector] of vectors.entries()) {
    for (const [i, row] of rows.entries()) {
      const factor = values[k]! * vector[i]!;
      for (let j = 0; j < n; j++) row[j]! += factor * vector[j]!;
    }
  }
  return rows;
}

function times(matrix: readonly Float64Array[], x: Float64Array): Float64Array {
  return Float64Array.from(matrix, (row) => {
    let sum = 0;
    for (let j = 0; j < x.length; j++) sum += row[j]! * x[j]!;
    return sum;
  });
}
