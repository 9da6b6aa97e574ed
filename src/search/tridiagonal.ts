/** A symmetric tridiagonal matrix T and the rows of an orthogonal Q^T such that the reduced matrix is Q T Q^T. */
export interface Tridiagonal {
  readonly diagonal: Float64Array;
  /** `offDiagonal[i]` couples i and i + 1. */
  readonly offDiagonal: Float64Array;
  readonly rows: Float64Array[];
}

/**
 * Householder reduction of a symmetric n x n matrix, given as rows and overwritten (Golub & Van Loan, Matrix
 * Computations, 4th edition, algorithm 8.3.1).
 */
export function tridiagonalize(a: Float64Array[]): Tridiagonal {
  const n = a.length;
  const offDiagonal = new Float64Array(Math.max(0, n - 1));
  const reflectors: (Reflector | undefined)[] = [];
  for (let k = 0; k + 1 < n; k++) {
    const reflector = reflectorOf(a[k]!, k + 1);
    reflectors.push(reflector);
    offDiagonal[k] = reflector ? reflector.image : a[k]![k + 1]!;
    if (reflector) reflectBothSides(a, reflector, k + 1);
  }
  return { diagonal: Float64Array.from(a, (row, i) => row[i]!), offDiagonal, rows: transposedProduct(reflectors, n) };
}

/** H = I - beta v v^T, which sends a vector x to (image, 0, ..., 0). */
interface Reflector {
  /** Zero before the pivot. */
  readonly v: Float64Array;
  readonly beta: number;
  readonly image: number;
}

/** The reflector of x = row[pivot ..]; undefined when x has its final form already. */
function reflectorOf(row: Float64Array, pivot: number): Reflector | undefined {
  const tail = dotFrom(pivot + 1, row, row);
  if (tail === 0) return undefined;
  const head = row[pivot]!;
  const norm = Math.sqrt(head * head + tail);
  const image = head > 0 ? -norm : norm; // the sign that avoids cancellation in v
  const v = row.slice().fill(0, 0, pivot);
  const first = head - image;
  v[pivot] = first;
  return { v, beta: 2 / (first * first + tail), image };
}

/** A <- H A H on the trailing block: A - v w^T - w v^T with w = p - (beta/2)(p^T v) v and p = beta A v. */
function reflectBothSides(a: Float64Array[], { v, beta }: Reflector, pivot: number): void {
  const n = a.length;
  const w = new Float64Array(n);
  for (let i = pivot; i < n; i++) w[i] = beta * dotFrom(pivot, a[i]!, v);
  const alongV = (beta / 2) * dotFrom(pivot, w, v);
  for (let i = pivot; i < n; i++) w[i]! -= alongV * v[i]!;
  for (let i = pivot; i < n; i++) {
    const row = a[i]!;
    const vi = v[i]!;
    const wi = w[i]!;
    for (let j = pivot; j < n; j++) row[j]! -= vi * w[j]! + wi * v[j]!;
  }
}

/** Q^T = H_last ... H_1 H_0, multiplied from the left so that each product touches its trailing rows only. */
function transposedProduct(reflectors: readonly (Reflector | undefined)[], n: number): Float64Array[] {
  const rows = Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(n);
    row[i] = 1;
    return row;
  });
  for (let k = reflectors.length - 1; k >= 0; k--) {
    const reflector = reflectors[k];
    if (!reflector) continue;
    const { v, beta } = reflector;
    for (let i = k + 1; i < n; i++) addScaled(rows[i]!, -beta * dotFrom(k + 1, rows[i]!, v), v, k + 1);
  }
  return rows;
}

function dotFrom(start: number, a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = start; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function addScaled(target: Float64Array, factor: number, source: Float64Array, start: number): void {
  for (let i = start; i < target.length; i++) target[i]! += factor * source[i]!;
}
