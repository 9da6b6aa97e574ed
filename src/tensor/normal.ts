/** The standard normal distribution, from operations whose last bits are the same everywhere. */
import { expWithinOne } from "./elementary.ts";

/** Beyond this many standard deviations a tail counts as empty. */
const FARTHEST = 8;

/** The probability of more than z standard deviations above the mean, to about 1e-14. */
export function upperTail(z: number): number {
  if (z < 0) return 1 - upperTail(-z);
  if (z > FARTHEST) return 0;
  // The integral of the density from 0 to z is the density at z times z + z^3/3 + z^5/(3 * 5) + ...
  let [term, series] = [z, z];
  for (let k = 3; term > 1e-17 * series; k += 2) series += term *= (z * z) / k;
  return 1 / 2 - densityAt(z) * series;
}

/** The z with that probability above it, for a probability in (0, 1). */
export function upperQuantile(probability: number): number {
  let [low, high] = [-FARTHEST, FARTHEST];
  for (let middle = 0; high - low > 1e-12; middle = (low + high) / 2) {
    if (upperTail(middle) > probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

function densityAt(z: number): number {
  let power = expWithinOne((-z * z) / 2 / 64);
  for (let squarings = 0; squarings < 6; squarings++) power *= power;
  return power / Math.sqrt(2 * Math.PI);
}
