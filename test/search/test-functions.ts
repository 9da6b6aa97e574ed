import { RandomStream } from "../../src/tensor/random.ts";

/** A function to minimise. */
export type Loss = (x: Float64Array) => number;

export const sphere: Loss = (x) => x.reduce((sum, value) => sum + value * value, 0);

/** Convex quadratic with axes of lengths 1 to 1e-3. */
export const ellipsoid: Loss = (x) =>
  x.reduce((sum, value, i) => sum + 1e6 ** (i / Math.max(1, x.length - 1)) * value * value, 0);

export const rosenbrock: Loss = (x) =>
  x.subarray(1).reduce((sum, next, i) => sum + 100 * (next - x[i]! ** 2) ** 2 + (1 - x[i]!) ** 2, 0);

/** A bowl with optima at all whole numbers, of which all but the best, at 0, are 1 or more. */
export const rastrigin: Loss = (x) =>
  x.reduce((sum, value) => sum + value * value + 10 * (1 - Math.cos(2 * Math.PI * value)), 0);

/** `loss` in randomly rotated coordinates of R^n. */
export function rotated(loss: Loss, n: number): Loss {
  const rotation = randomOrthogonalRows(n);
  return (x) => loss(Float64Array.from(rotation, (row) => dot(row, x)));
}

/** Gram-Schmidt on normal vectors. */
function randomOrthogonalRows(n: number): Float64Array[] {
  const random = RandomStream.of(1, "rotation");
  const rows: Float64Array[] = [];
  while (rows.length < n) {
    const row = new Float64Array(n).map(() => random.normal());
    for (const earlier of rows) {
      const along = dot(row, earlier);
      for (let i = 0; i < n; i++) row[i]! -= along * earlier[i]!;
    }
    const length = Math.sqrt(dot(row, row));
    rows.push(row.map((value) => value / length));
  }
  return rows;
}

function dot(a: Float64Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i]!, 0);
}
