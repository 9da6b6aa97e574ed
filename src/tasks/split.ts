import { UserError } from "../errors.ts";
import { RandomStream } from "../tensor/random.ts";
import type { TaskRow } from "./rows.ts";

/** Rows to search on and rows that the search never sees, each in the order of the file. */
export interface Split {
  readonly search: TaskRow[];
  readonly guard: TaskRow[];
}

/**
 * Divides rows at random so that rows of one group stay together, `searchFraction` of the rows (as nearly as the groups
 * allow) on the search side and at least one group on each. The same groups in another order are divided alike. Rows of a
 * single group are a UserError that names their file.
 */
export function splitByGroup(
  rows: readonly TaskRow[],
  { searchFraction = 0.7, seed, file }: { searchFraction?: number; seed: number; file: string },
): Split {
  const sizes = new Map<string, number>();
  for (const { group } of rows) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  if (sizes.size < 2) {
    throw new UserError(
      `${file}: expected rows about at least two passages to split them, found ${sizes.size}; give guard rows`,
    );
  }
  const groups = RandomStream.of(seed, "split").shuffle([...sizes.keys()].toSorted());
  const searched = new Set(
    groups.slice(
      0,
      cutNearest(
        groups.map((group) => sizes.get(group) ?? 0),
        searchFraction * rows.length,
      ),
    ),
  );
  return {
    search: rows.filter(({ group }) => searched.has(group)),
    guard: rows.filter(({ group }) => !searched.has(group)),
  };
}

/** Number of leading sizes, neither none nor all, whose sum is nearest to the target. */
function cutNearest(sizes: readonly number[], target: number): number {
  let sum = 0;
  let best = { cut: 1, distance: Infinity };
  sizes.slice(0, -1).forEach((size, i) => {
    sum += size;
    const distance = Math.abs(sum - target);
    if (distance < best.distance) best = { cut: i + 1, distance };
  });
  return best.cut;
}
