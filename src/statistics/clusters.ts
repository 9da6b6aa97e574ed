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

/**
 * Estimates from groups that are taken `copies` times with `signs` before their sums. A mean over groups of different
 * sizes is a ratio; its variance is that of its linear approximation (Cochran 1977, section 6.3, with the factor
 * n / (n - 1)). Infinite for a single group, which tells nothing of others.
 */
export function estimate({ size, tasks }: Stratum, copies: Float64Array, signs: Float64Array): Estimate {
  if (tasks.length === 1) return ofOneTask(size, tasks[0]!, copies, signs);
  const parts = tasks.map((task) => ({ ...task, ...meanOf(task, copies, signs) }));
  let squares = 0;
  let magnitude = 0;
  for (let group = 0; group < size; group++) {
    let residual = 0;
    let term = 0;
    for (const { weight, sums, counts, mean, rows } of parts) {
      residual += (weight * (signs[group]! * sums[group]! - mean * counts[group]!)) / rows;
      term += Math.abs((weight * sums[group]!) / rows);
    }
    squares += copies[group]! * residual * residual;
    magnitude += copies[group]! * term * term;
  }
  const total = parts.reduce((sum, { weight, mean }) => sum + weight * mean, 0);
  return { total, variance: varianceOf(size, tasks, squares, magnitude) };
}

/** The same, without the work that several tasks make. */
function ofOneTask(size: number, task: TaskTotals, copies: Float64Array, signs: Float64Array): Estimate {
  const { weight, sums, counts } = task;
  const { mean, rows } = meanOf(task, copies, signs);
  let squares = 0;
  let magnitude = 0;
  for (let group = 0; group < size; group++) {
    const residual = signs[group]! * sums[group]! - mean * counts[group]!;
    squares += copies[group]! * residual * residual;
    magnitude += copies[group]! * sums[group]! * sums[group]!;
  }
  const scale = (weight / rows) ** 2;
  return { total: weight * mean, variance: varianceOf(size, [task], scale * squares, scale * magnitude) };
}

function meanOf(
  { sums, counts }: TaskTotals,
  copies: Float64Array,
  signs: Float64Array,
): { readonly mean: number; readonly rows: number } {
  let total = 0;
  let rows = 0;
  for (let group = 0; group < sums.length; group++) {
    total += copies[group]! * signs[group]! * sums[group]!;
    rows += copies[group]! * counts[group]!;
  }
  return { mean: total / rows, rows };
}

function varianceOf(size: number, tasks: readonly TaskTotals[], squares: number, magnitude: number): number {
  if (tasks.some(({ groups }) => groups < 2)) return Infinity;
  return squares <= ROUNDING * magnitude ? 0 : (size / (size - 1)) * squares;
}

/** The sum of independent estimates. */
export function added(estimates: readonly Estimate[]): Estimate {
  return estimates.reduce(
    (sum, { total, variance }) => ({ total: sum.total + total, variance: sum.variance + variance }),
    {
      total: 0,
      variance: 0,
    },
  );
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
