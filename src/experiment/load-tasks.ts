import { UserError } from "../errors.ts";
import type { Evaluator } from "../evaluate/evaluator.ts";
import { nameFiles, quoteRow, readRows, type TaskRow } from "../tasks/rows.ts";
import { splitByGroup } from "../tasks/split.ts";
import type { Experiment, RowSource } from "./experiment-file.ts";

/** One fitness task with its rows divided: the search sees the first part, only the verdict sees the second. */
export interface Task {
  readonly name: string;
  readonly weight: number;
  readonly search: readonly TaskRow[];
  readonly guard: readonly TaskRow[];
}

/**
 * Reads the rows of every task, whose sources must be files by now; where no guard rows are given, 30 % of the passages
 * become the guard. A row that the evaluator cannot score, or that is on both sides, is a UserError.
 */
export async function loadTasks(
  { tasks, seed }: Experiment,
  evaluator: Evaluator,
  signal?: AbortSignal,
): Promise<Task[]> {
  const loaded: Task[] = [];
  for (const { name, rows, guard, weight } of tasks) {
    const files = filesOf(rows);
    const own = await readRows(files, {}, signal);
    const divided =
      guard === undefined
        ? splitByGroup(own, { seed, file: nameFiles(files) })
        : { search: own, guard: await readRows(filesOf(guard), {}, signal) };
    const searched = new Set(divided.search.map(({ id }) => id));
    const seen = divided.guard.find(({ id }) => searched.has(id));
    if (seen) {
      throw new UserError(
        `${nameFiles(filesOf(guard ?? rows))}: ${quoteRow(seen)} is also in ${nameFiles(files)}; guard rows must be new to the search`,
      );
    }
    await evaluator.prepare([...divided.search, ...divided.guard], signal);
    loaded.push({ name, weight, ...divided });
  }
  return loaded;
}

/** The files of rows; a dataset must have been replaced by its files before. */
export function filesOf(source: RowSource): readonly string[] {
  if ("dataset" in source) throw new Error(`the rows of ${source.dataset} were not fetched`);
  return source;
}
