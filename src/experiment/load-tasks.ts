import { UserError } from "../errors.ts";
import type { Evaluator } from "../evaluate/evaluator.ts";
import { quoteRow, readRows, type TaskRow } from "../tasks/rows.ts";
import { splitByGroup } from "../tasks/split.ts";
import type { Experiment } from "./experiment-file.ts";

/** One fitness task with its rows divided: the search sees the first part, only the verdict sees the second. */
export interface Task {
  readonly name: string;
  readonly weight: number;
  readonly search: readonly TaskRow[];
  readonly guard: readonly TaskRow[];
}

/**
 * Reads the rows of every task; where no guard file is given, 30 % of the passages become the guard. A row that the
 * evaluator cannot score, or that is on both sides, is a UserError.
 */
export async function loadTasks({ tasks, seed }: Experiment, evaluator: Evaluator): Promise<Task[]> {
  const loaded: Task[] = [];
  for (const { name, rows, guard, weight } of tasks) {
    const own = await readRows(rows);
    const divided =
      guard === undefined ? splitByGroup(own, { seed, file: rows }) : { search: own, guard: await readRows(guard) };
    const searched = new Set(divided.search.map(({ id }) => id));
    const seen = divided.guard.find(({ id }) => searched.has(id));
    if (seen)
      throw new UserError(`${guard}: ${quoteRow(seen)} is also in ${rows}; guard rows must be new to the search`);
    await evaluator.prepare([...divided.search, ...divided.guard]);
    loaded.push({ name, weight, ...divided });
  }
  return loaded;
}
