/**
 * The factors by which the columns add up to the nearest of the target, in the sum of squared differences. Columns and
 * target are of one length, and no column is a sum of the others.
 *
 * Each factor is that of the column's part orthogonal to all other columns (Frisch and Waugh 1933).
 */
export function leastSquares(columns: readonly (readonly number[])[], target: readonly number[]): number[] {
  return columns.map((column) => {
    const others = columns.filter((other) => other !== column);
    const own = without(orthogonalized(others), column);
    return dot(own, target) / dot(own, own);
  });
}

/** Vectors at right angles to each other that span what the columns span: modified Gram-Schmidt. */
function orthogonalized(columns: readonly (readonly number[])[]): readonly (readonly number[])[] {
  const orthogonal: (readonly number[])[] = [];
  for (const column of columns) orthogonal.push(without(orthogonal, column));
  return orthogonal;
}

/** What is left of a vector when its part along each of the orthogonal ones is taken away. */
function without(orthogonal: readonly (readonly number[])[], vector: readonly number[]): readonly number[] {
  return orthogonal.reduce((left, other) => {
    const share = dot(left, other) / dot(other, other);
    return left.map((value, i) => value - share * (other[i] ?? Number.NaN));
  }, vector);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? Number.NaN), 0);
}
