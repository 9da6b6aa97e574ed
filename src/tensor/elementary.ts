/**
 * Logarithm and exponential from additions, multiplications and divisions alone. ECMAScript leaves the last bits of
 * `Math.log` and `Math.exp` to the engine; a search that replays its journal on another machine needs all of them.
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
