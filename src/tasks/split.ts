import { UserError } from "../errors.ts";
import { RandomStream } from "../tensor/random.ts";
import { groupsOf } from "./groups.ts";
import { quoteRow, type TaskRow } from "./rows.ts";

/** Rows to search on and rows that the search never sees, each in the order of the file. */
export interface Split {
  readonly search: TaskRow[];
  readonly guard: TaskRow[];
}

/** The rows of one task as they were read, and how errors name their files. */
export interface UndividedRows {
  readonly file: string;
  readonly rows: readonly TaskRow[];
  /** Rows that somebody has set apart; without them they are split off `rows`. */
  readonly guard?: { readonly file: string; readonly rows: readonly TaskRow[] };
}

interface SplitOptions {
  readonly seed: number;
  /** Of the rows of a task that has no guard rows; 0.7 unless given. */
  readonly searchFraction?: number;
  /** Told what most rows of a task begin with, which is not taken for a passage. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

/**
 * Divides the rows of all tasks so that no group (as `groupsOf` sees them) is on both sides, not of two tasks either. Where guard rows
 * are given, the two sides stand; other rows are divided by group at random, `searchFraction` of each task's rows (as
 * nearly as the groups allow) on the search side and at least one group on each. The same groups in another order are
 * divided alike. Rows that belong together have one group in the result. UserErrors: given guard rows that belong with
 * search rows, and a task whose groups cannot be divided.
 */
export function splitTasks(tasks: readonly UndividedRows[], options: SplitOptions): Split[] {
  const groupOf = groupsOf(
    tasks.map(({ file, rows, guard }) => ({ file, rows: [...rows, ...(guard?.rows ?? [])] })),
    options.onNotice,
  );
  const joined = tasks.map(({ file, rows, guard }) => ({
    file,
    rows: withGroups(rows, groupOf),
    ...(guard && { guard: { file: guard.file, rows: withGroups(guard.rows, groupOf) } }),
  }));
  const sides = givenSides(joined);
  const splits = new Map<UndividedRows, Split>();
  // The task of the fewest groups first: it has the least choice.
  for (const task of joined.toSorted((a, b) => groupSizes(a.rows).size - groupSizes(b.rows).size)) {
    splits.set(task, task.guard ? { search: task.rows, guard: task.guard.rows } : splitByGroup(task, sides, options));
  }
  return joined.map((task) => splits.get(task) ?? { search: [], guard: [] });
}

function withGroups(rows: readonly TaskRow[], groupOf: (row: TaskRow) => string): TaskRow[] {
  return rows.map((row) => ({ ...row, group: groupOf(row) }));
}

/** The side of every group that somebody has put on one. */
function givenSides(tasks: readonly UndividedRows[]): Map<string, keyof Split> {
  const given = tasks.filter(({ guard }) => guard !== undefined);
  const searched = new Map(
    given.flatMap(({ file, rows }) => rows.map((row) => [row.group, { file, row }] as const)).toReversed(),
  );
  for (const { guard } of given) {
    const shared = (guard?.rows ?? []).filter(({ group }) => searched.has(group));
    const [first] = shared;
    const other = searched.get(first?.group ?? "");
    if (!guard || !first || !other) continue;
    const isSame = other.row.id === first.id;
    const example = isSame ? "which is also in" : `with ${quoteRow(other.row)} of`;
    const advice = isSame ? "" : "; where they are about different things, say so in a column group";
    throw new UserError(
      `${guard.file}: expected rows that are new to the search, found ${shared.length} of ${guard.rows.length} about passages or groups of search rows, such as ${quoteRow(first)}, ${example} ${other.file}; remove them, or leave the guard out to have it split off${advice}`,
    );
  }
  return new Map([
    ...Array.from(searched.keys(), (group) => [group, "search"] as const),
    ...given.flatMap(({ guard }) => (guard?.rows ?? []).map(({ group }) => [group, "guard"] as const)),
  ]);
}

/** Divides one task where `sides` leaves it open, and enters there what was decided. */
function splitByGroup(
  { file, rows }: UndividedRows,
  sides: Map<string, keyof Split>,
  { searchFraction = 0.7, seed }: SplitOptions,
): Split {
  const sizes = groupSizes(rows);
  if (sizes.size < 2) {
    throw new UserError(
      `${file}: expected rows about at least two passages or groups to split them, found ${sizes.size}; give guard rows, or say in a column group what they are about`,
    );
  }
  const isOn =
    (side: keyof Split): ((group: string) => boolean) =>
    (group) =>
      sides.get(group) === side;
  const groups = [...sizes.keys()].toSorted();
  const open = RandomStream.of(seed, "split").shuffle(groups.filter((group) => !sides.has(group)));
  const decided = groups.filter(isOn("search")).reduce((total, group) => total + (sizes.get(group) ?? 0), 0);
  const cut = cutNearest(
    open.map((group) => sizes.get(group) ?? 0),
    searchFraction * rows.length - decided,
    // At least one group on each side.
    { least: groups.some(isOn("search")) ? 0 : 1, most: open.length - (groups.some(isOn("guard")) ? 0 : 1) },
  );
  for (const [i, group] of open.entries()) sides.set(group, i < cut ? "search" : "guard");
  const split = {
    search: rows.filter(({ group }) => isOn("search")(group)),
    guard: rows.filter(({ group }) => isOn("guard")(group)),
  };
  for (const [side, own] of Object.entries(split)) {
    if (own.length > 0) continue;
    const others = side === "guard" ? "search" : "guard";
    throw new UserError(
      `${file}: all its passages and groups are among the ${others} rows of other tasks, so that no ${side} rows are left; give guard rows`,
    );
  }
  return split;
}

/** Rows by group. */
function groupSizes(rows: readonly TaskRow[]): Map<string, number> {
  const sizes = new Map<string, number>();
  for (const { group } of rows) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return sizes;
}

/** Number of leading sizes, from `least` to `most`, whose sum is nearest to the target. */
function cutNearest(
  sizes: readonly number[],
  target: number,
  { least, most }: { readonly least: number; readonly most: number },
): number {
  let sum = 0;
  let best = { cut: least, distance: Infinity };
  for (let cut = 0; cut <= most; cut++) {
    const distance = Math.abs(sum - target);
    if (cut >= least && distance < best.distance) best = { cut, distance };
    sum += sizes[cut] ?? 0;
  }
  return best.cut;
}
