import type { Evaluator } from "../evaluate/evaluator.ts";
import { nameFiles, readRows, type TaskRow } from "../tasks/rows.ts";
import { splitTasks, type UndividedRows } from "../tasks/split.ts";
import type { Experiment, RowSource } from "./experiment-file.ts";

/** One fitness task with its rows divided: the search sees the first part, only the verdict sees the second. */
export interface Task {
  readonly name: string;
  readonly weight: number;
  readonly search: readonly TaskRow[];
  readonly guard: readonly TaskRow[];
}

/**
 * Reads the rows of every task, whose sources must be files by now; where no guard rows are given, 30 % of the groups
 * become the guard. A group that is on both sides is a UserError. `onNotice` is told what is not taken for a passage.
 */
export async function readTasks(
  { tasks, seed }: Experiment,
  signal?: AbortSignal,
  onNotice?: (text: string) => void,
): Promise<Task[]> {
  const read: UndividedRows[] = [];
  for (const { rows, guard } of tasks) {
    const own = await readSource(rows, signal);
    read.push(guard === undefined ? own : { ...own, guard: await readSource(guard, signal) });
  }
  const splits = splitTasks(read, { seed, onNotice });
  return tasks.map(({ name, weight }, i) => {
    const { search = [], guard = [] } = splits[i] ?? {};
    return { name, weight, search, guard };
  });
}

/** Reads the rows of every task and tokenises them; a row that the evaluator cannot score is a UserError, too. */
export async function loadTasks(experiment: Experiment, evaluator: Evaluator, signal?: AbortSignal): Promise<Task[]> {
  const tasks = await readTasks(experiment, signal);
  await prepareTasks(tasks, evaluator, signal);
  return tasks;
}

/** Tokenises all rows ahead of their evaluation; one that cannot be scored is a UserError. */
export async function prepareTasks(tasks: readonly Task[], evaluator: Evaluator, signal?: AbortSignal): Promise<void> {
  for (const { search, guard } of tasks) await evaluator.prepare([...search, ...guard], signal);
}

async function readSource(
  source: RowSource,
  signal: AbortSignal | undefined,
): Promise<{ readonly file: string; readonly rows: TaskRow[] }> {
  const files = filesOf(source);
  return { file: nameFiles(files), rows: await readRows(files, {}, signal) };
}

/** The files of rows; a dataset must have been replaced by its files before. */
export function filesOf(source: RowSource): readonly string[] {
  if ("dataset" in source) throw new Error(`the rows of ${source.dataset} were not fetched`);
  return source;
}
