import { UserError } from "../errors.ts";
import { rowsDigest, readRows, type TaskRow } from "../tasks/rows.ts";
import { splitByGroup } from "../tasks/split.ts";
import type { Experiment } from "./experiment-file.ts";

/** One fitness task with its rows divided: the search sees the first part, only the verdict sees the second. */
export interface Task {
  readonly name: string;
  readonly weight: number;
  readonly search: readonly TaskRow[];
  readonly guard: readonly TaskRow[];
  /** Hash of all rows and of the way they are divided. */
  readonly digest: string;
}

/** Reads the rows of every task; where no guard file is given, 30 % of the passages become the guard. */
export async function loadTasks({ tasks, seed }: Experiment): Promise<Task[]> {
  return Promise.all(
    tasks.map(async ({ name, rows, guard, weight }) => {
      const own = await readRows(rows);
      const split = guard === undefined ? splitByGroup(own, { seed }) : { search: own, guard: await readRows(guard) };
      const searched = new Set(split.search.map(({ id }) => id));
      const seen = split.guard.find(({ id }) => searched.has(id));
      if (seen) {
        throw new UserError(
          `${guard}: row "${seen.context.slice(-60)}" is also in ${rows}; guard rows must be new to the search`,
        );
      }
      return { name, weight, ...split, digest: `${rowsDigest(split.search)} ${rowsDigest(split.guard)}` };
    }),
  );
}
