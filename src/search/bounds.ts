/**
 * A C1 periodic map of the real line onto [0, 1]: the identity but for a margin at each bound, where it bends
 * quadratically and turns back. An unbounded optimizer then sees a smooth function everywhere, with no flat region
 * outside the bounds and no candidates piled up on them. The shape is the linear-quadratic transformation of pycma.
 * @module
 */

/** Half width of the quadratic piece around each turning point, which lies this far outside its bound. */
const margin = 0.05;

/** Maps a point of R^n into the unit cube. */
export function intoUnitCube(x: Float64Array): Float64Array {
  return x.map((value) => bend(mirror(value)));
}

/** The point nearest to the unit cube that `intoUnitCube` maps to `y`, a point of the unit cube. */
export function outOfUnitCube(y: Float64Array): Float64Array {
  return y.map((value) => {
    if (value < margin) return 2 * Math.sqrt(margin * value) - margin;
    if (value > 1 - margin) return 1 + margin - 2 * Math.sqrt(margin * (1 - value));
    return value;
  });
}

/** Reflects a number at the turning points until it lies between them. */
function mirror(x: number): number {
  if (x >= -margin && x <= 1 + margin) return x;
  const length = 1 + 2 * margin;
  const position = Math.abs(x + margin) % (2 * length);
  return Math.min(position, 2 * length - position) - margin;
}

function bend(x: number): number {
  if (x < margin) return square(x + margin) / (4 * margin);
  if (x > 1 - margin) return 1 - square(1 + margin - x) / (4 * margin);
  return x;
}

function square(x: number): number {
  return x * x;
}
