/**
 * Elementary functions from additions, multiplications, divisions and square roots alone. ECMAScript leaves the last bits of
 * `Math.log` and its like to the engine; a search that replays its journal on another machine needs all of them.
 * @module
 */

/** Natural logarithm of a positive normal number, to about one unit in the last place. */
export function ln(x: number): number {
  let mantissa = x;
  let exponent = 0;
  for (; mantissa > Math.SQRT2; exponent++) mantissa /= 2;
  for (; mantissa < Math.SQRT1_2; exponent--) mantissa *= 2;
  // ln m = 2 artanh s = 2 (s + s^3/3 + s^5/5 + ...); |s| < 0.172, so the term of s^25 is below rounding.
  const s = (mantissa - 1) / (mantissa + 1);
  const square = s * s;
  let series = 0;
  for (let k = 23; k >= 3; k -= 2) series = (series + 1 / k) * square;
  return exponent * Math.LN2 + 2 * s + 2 * s * series;
}

/** Exponential of a number in [-1, 1], to about one unit in the last place. */
export function expWithinOne(x: number): number {
  let series = 1;
  for (let k = 18; k >= 1; k--) series = 1 + (series * x) / k;
  return series;
}

/** Sine of an angle in radians, to about one unit in the last place of the result or of the angle. */
export function sine(angle: number): number {
  const turned = angle - 2 * Math.PI * Math.round(angle / (2 * Math.PI));
  const folded = Math.abs(turned) > Math.PI / 2 ? Math.sign(turned) * Math.PI - turned : turned;
  const square = folded * folded;
  let series = 1;
  for (let k = 27; k >= 3; k -= 2) series = 1 - (series * square) / (k * (k - 1));
  return folded * series;
}

/** Cosine of an angle in radians, to about the last place of 1 or of the angle. */
export function cosine(angle: number): number {
  return sine(Math.PI / 2 - angle);
}

/** The angle in [0, pi] of a cosine; one beyond -1 or 1, by rounding, counts as these. */
export function arccosine(cosine: number): number {
  const [less, more] = [Math.max(0, 1 - cosine), Math.max(0, 1 + cosine)];
  const half = less <= more ? arctangent(Math.sqrt(less / more)) : Math.PI / 2 - arctangent(Math.sqrt(more / less));
  return 2 * half;
}

/** Of a number in [0, 1]. */
function arctangent(x: number): number {
  const halved = x / (1 + Math.sqrt(1 + x * x));
  const quartered = halved / (1 + Math.sqrt(1 + halved * halved));
  // atan q = q - q^3/3 + q^5/5 - ...; q < 0.199, so the term of q^25 is below rounding.
  const square = quartered * quartered;
  let series = 0;
  for (let k = 23; k >= 3; k -= 2) series = (1 / k - series) * square;
  return 4 * quartered * (1 - series);
}
