/** How sums that leave a parameter's range are brought back into it. */

export type Range = readonly [number, number];

/** Folds the real line onto the range, as if its ends were mirrors. */
export function reflect(value: number, [low, high]: Range): number {
  if (value >= low && value <= high) return value;
  const width = high - low;
  const phase = Math.abs(value - low) % (2 * width);
  return Math.min(high, low + Math.min(phase, 2 * width - phase));
}

/** The derivative of `reflect`: 1, or -1 where the line runs backwards. */
export function slope(value: number, [low, high]: Range): number {
  if (value >= low && value <= high) return 1;
  const width = high - low;
  const isForwards = Math.abs(value - low) % (2 * width) < width;
  return isForwards === value > low ? 1 : -1;
}
