import { tridiagonalize } from "./tridiagonal.ts";

/** Eigenvalues of a symmetric matrix in no particular order, and a unit eigenvector for each as a row of `vectors`. */
export interface Eigendecomposition {
  readonly values: Float64Array;
  readonly vectors: readonly Float64Array[];
}

const maximumStepsPerEigenvalue = 50;

/**
 * Eigendecomposition of a symmetric n x n matrix, by Householder tridiagonalisation and implicit QR with Wilkinson's
 * shift (Golub & Van Loan, Matrix Computations, 4th edition, section 8.3); everything works on rows to stay in cache.
 * The squares of the matrix's greatest entries must be normal numbers. Throws when an entry is not finite.
 */
export function symmetricEigen(matrix: readonly Float64Array[]): Eigendecomposition {
  const { diagonal, offDiagonal, rows } = tridiagonalize(matrix.map((row) => row.slice()));
  let steps = 0;
  for (let high = diagonal.length - 1; high > 0;) {
    if (deflates(diagonal, offDiagonal, high - 1)) {
      high--;
      steps = 0;
      continue;
    }
    if (++steps > maximumStepsPerEigenvalue) throw new Error("Eigendecomposition did not converge");
    let low = high - 1;
    while (low > 0 && !deflates(diagonal, offDiagonal, low - 1)) low--;
    qrStep(diagonal, offDiagonal, rows, low, high);
  }
  return { values: diagonal, vectors: rows };
}

function deflates(diagonal: Float64Array, offDiagonal: Float64Array, i: number): boolean {
  return Math.abs(offDiagonal[i]!) <= Number.EPSILON * (Math.abs(diagonal[i]!) + Math.abs(diagonal[i + 1]!));
}

/** One implicit QR step with Wilkinson's shift on the unreduced block low..high (algorithm 8.3.2). */
function qrStep(d: Float64Array, e: Float64Array, rows: Float64Array[], low: number, high: number): void {
  let x = d[low]! - wilkinsonShift(d[high - 1]!, e[high - 1]!, d[high]!);
  let bulge = e[low]!;
  for (let k = low; k < high; k++) {
    const norm = Math.sqrt(x * x + bulge * bulge);
    const c = norm === 0 ? 1 : x / norm;
    const s = norm === 0 ? 0 : bulge / norm;
    if (k > low) e[k - 1] = norm;
    const first = d[k]!;
    const second = d[k + 1]!;
    const coupling = e[k]!;
    d[k] = c * c * first + 2 * c * s * coupling + s * s * second;
    d[k + 1] = s * s * first - 2 * c * s * coupling + c * c * second;
    e[k] = c * s * (second - first) + (c * c - s * s) * coupling;
    if (k + 1 < high) {
      x = e[k]!;
      bulge = s * e[k + 1]!;
      e[k + 1]! *= c;
    }
    rotate(rows[k]!, rows[k + 1]!, c, s);
  }
}

/** The eigenvalue of [[a, b], [b, c]] that is nearer to c. */
function wilkinsonShift(a: number, b: number, c: number): number {
  const half = (a - c) / 2;
  const root = Math.sqrt(half * half + b * b);
  return c - (b * b) / (half < 0 ? half - root : half + root);
}

function rotate(p: Float64Array, q: Float64Array, c: number, s: number): void {
  for (let j = 0; j < p.length; j++) {
    const pj = p[j]!;
    const qj = q[j]!;
    p[j] = c * pj + s * qj;
    q[j] = c * qj - s * pj;
  }
}
