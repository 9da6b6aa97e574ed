/** Coordinates of a few values, which are equal parts of the unit interval; a value is written as the middle of its part. */

/** The part that a number is in, or the nearest one. */
export function partOf(value: number, levels: number): number {
  return Math.min(levels - 1, Math.max(0, Math.floor(value * levels)));
}

export function middleOf(part: number, levels: number): number {
  return (part + 1 / 2) / levels;
}
