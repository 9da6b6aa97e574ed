/** How far a step of a gradient walk goes. */
export interface StepSchedule {
  /** Length of a coordinate's first steps, as a part of its range; 1/15 by default, which is 0.1 of a range of 1.5. */
  readonly rate?: number;
  /** Steps over which the rate falls on a straight line to a twentieth, where it stays; 40 by default. */
  readonly steps?: number;
}

const DEFAULT_RATE = 1 / 15;
const DEFAULT_STEPS = 40;
const LAST_PART = 1 / 20;

/** The number of steps of a schedule. */
export function scheduledSteps({ steps = DEFAULT_STEPS }: StepSchedule): number {
  return steps;
}

/** The rate of a step, the first of which is number 0. */
export function rateAt(step: number, schedule: StepSchedule): number {
  const { rate = DEFAULT_RATE } = schedule;
  const passed = Math.min(1, step / Math.max(1, scheduledSteps(schedule) - 1));
  return rate * (1 - (1 - LAST_PART) * passed);
}

/**
 * The point at `rate` times the direction downhill of another, both in the unit cube. It is clipped at the bounds, not
 * reflected: merges are often best at a bound, where a reflected walk would not stay.
 */
export function downhill(
  point: Float64Array,
  direction: Float64Array,
  rate: number,
  scales: Float64Array,
): Float64Array {
  return point.map((value, j) => clipToUnit(value - rate * scales[j]! * direction[j]!));
}

export function clipToUnit(value: number): number {
  return Math.min(1, Math.max(0, value));
}

export function halfway(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, j) => (value + b[j]!) / 2);
}
