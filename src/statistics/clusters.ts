/** The rows of one task: a value each, such as a difference of losses, and the group that it belongs to. */
export interface GroupedValues {
  /** Factor of the task's mean in the total. */
  readonly weight: number;
  readonly values: readonly number[];
  /** Rows of one group, of whatever task, are one draw. */
  readonly groups: readonly string[];
}

/** Groups that are drawn from together, and what each holds of each of their tasks. */
export interface Stratum {
  readonly size: number;
  readonly tasks: readonly TaskTotals[];
}

/** By group: the sum of a task's values, and how many they are. */
export interface TaskTotals {
  readonly weight: number;
  readonly sums: Float64Array;
  readonly counts: Float64Array;
  /** Groups that hold any of its values. */
  readonly groups: number;
}

/** Weighted sum of the tasks' means, and the variance that drawing other groups would give it. */
export interface Estimate {
  readonly total: number;
  readonly variance: number;
}

/** A stratum for each task, or for all tasks between which groups are shared. */
export function strataOf(tasks: readonly GroupedValues[]): Stratum[] {
  const places: { readonly tasks: GroupedValues[]; readonly groups: Set<string> }[] = [];
  for (const task of tasks) {
    if (task.values.length !== task.groups.length) {
      throw new Error(`${task.values.length} rows but ${task.groups.length} groups`);
    }
    const place = { tasks: [task], groups: new Set(task.groups) };
    for (const other of places.filter(({ groups }) => task.groups.some((group) => groups.has(group)))) {
      place.tasks.unshift(...other.tasks);
      for (const group of other.groups) place.groups.add(group);
      places.splice(places.indexOf(other), 1);
    }
    places.push(place);
  }
  return places.map(({ tasks, groups }) => {
    const index = new Map(Array.from(groups, (group, i) => [group, i]));
    return { size: index.size, tasks: tasks.map((task) => totalsOf(task, index)) };
  });
}

function totalsOf({ weight, values, groups }: GroupedValues, index: ReadonlyMap<string, number>): TaskTotals {
  const sums = new Float64Array(index.size);
  const counts = new Float64Array(index.size);
  for (const [row, group] of groups.entries()) {
    const at = index.get(group)!;
    sums[at]! += values[row]!;
    counts[at]! += 1;
  }
  return { weight, sums, counts, groups: new Set(groups).size };
}

/** Part of the squares of a sum of terms below which a variance is what rounding has left of none. */
const ROUNDING = 1e-20;

/** Which groups are taken, and how: at first each of them once, as it is. */
export interface Draw {
  readonly stratum: Stratum;
  /** By group. */
  readonly copies: Float64Array;
  /** By group: a factor of its sums. */
  readonly signs: Float64Array;
  /** By task, of what was last estimated: tens of thousands of draws share one place for them. */
  readonly means: Float64Array;
  readonly rows: Float64Array;
}

export function drawOf(stratum: Stratum): Draw {
  const { size, tasks } = stratum;
  return {
    stratum,
    copies: new Float64Array(size).fill(1),
    signs: new Float64Array(size).fill(1),
    means: new Float64Array(tasks.length),
    rows: new Float64Array(tasks.length),
  };
}

/**
 * The sum of independent estimates, each from the groups of a stratum. A mean over groups of different sizes is a ratio; its
 * variance is that of its linear approximation (Cochran 1977, section 6.3, with the factor n / (n - 1)). Infinite for a
 * single group, which tells nothing of others.
 */
export function estimate(draws: readonly Draw[]): Estimate {
  let total = 0;
  let variance = 0;
  for (const draw of draws) {
    total += totalOf(draw);
    variance += draw.stratum.tasks.length === 1 ? varianceOfOneTask(draw) : varianceOfTasks(draw);
  }
  return { total, variance };
}

function totalOf({ stratum, copies, signs, means, rows }: Draw): number {
  let weighted = 0;
  for (const [place, { weight, sums, counts }] of stratum.tasks.entries()) {
    let total = 0;
    let taken = 0;
    for (let group = 0; group < sums.length; group++) {
      total += copies[group]! * signs[group]! * sums[group]!;
      taken += copies[group]! * counts[group]!;
    }
    means[place] = total / taken;
    rows[place] = taken;
    weighted += weight * means[place];
  }
  return weighted;
}

function varianceOfTasks({ stratum, copies, signs, means, rows }: Draw): number {
  const { tasks, size } = stratum;
  let squares = 0;
  let magnitude = 0;
  for (let group = 0; group < size; group++) {
    let residual = 0;
    let term = 0;
    for (let place = 0; place < tasks.length; place++) {
      const { weight, sums, counts } = tasks[place]!;
      residual += (weight * (signs[group]! * sums[group]! - means[place]! * counts[group]!)) / rows[place]!;
      term += Math.abs((weight * sums[group]!) / rows[place]!);
    }
    squares += copies[group]! * residual * residual;
    magnitude += copies[group]! * term * term;
  }
  return varianceOf(stratum, squares, magnitude);
}

/** The same, without the work that several tasks make. */
function varianceOfOneTask({ stratum, copies, signs, means, rows }: Draw): number {
  const { weight, sums, counts } = stratum.tasks[0]!;
  const mean = means[0]!;
  let squares = 0;
  let magnitude = 0;
  for (let group = 0; group < stratum.size; group++) {
    const residual = signs[group]! * sums[group]! - mean * counts[group]!;
    squares += copies[group]! * residual * residual;
    magnitude += copies[group]! * sums[group]! * sums[group]!;
  }
  const scale = (weight / rows[0]!) ** 2;
  return varianceOf(stratum, scale * squares, scale * magnitude);
}

function varianceOf({ size, tasks }: Stratum, squares: number, magnitude: number): number {
  if (tasks.some(({ groups }) => groups < 2)) return Infinity;
  return squares <= ROUNDING * magnitude ? 0 : (size / (size - 1)) * squares;
}

/** Distance from `expected` in standard errors; infinite where there is no spread. */
export function standardised({ total, variance }: Estimate, expected: number): number {
  const distance = total - expected;
  return distance === 0 ? 0 : distance / Math.sqrt(variance);
}

/**
 * As many groups of equal size as tell as much as these: (sum n)^2 / sum n^2 of their sizes n (Kish 1965, section 11.2).
 * One group that holds most of the rows decides their mean nearly alone, however many others there are.
 */
export function effectiveGroups(groups: readonly string[]): number {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const squares = [...sizes.values()].reduce((sum, size) => sum + size * size, 0);
  return squares === 0 ? 0 : groups.length ** 2 / squares;
}
