import { stat } from "node:fs/promises";
import type { Evaluator } from "../evaluate/evaluator.ts";
import { type ChoiceLossName, defaultLoss } from "../tasks/row-loss.ts";
import { nameFiles, readRows, type TaskRow } from "../tasks/rows.ts";
import type { RowFormat } from "../tasks/row-formats.ts";
import type { PluginName } from "../files/plugin-name.ts";
import { UserError } from "../errors.ts";
import { noPlugins, type Plugins, pluginsAt } from "../plugins/load-plugins.ts";
import { splitTasks, type UndividedRows } from "../tasks/split.ts";
import type { Experiment, RowSource } from "./experiment.ts";

/** One fitness task with its rows divided: the search sees the first part, only the verdict sees the second. */
export interface Task {
  readonly name: string;
  readonly weight: number;
  readonly search: readonly TaskRow[];
  readonly guard: readonly TaskRow[];
}

export interface ReadTasksOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
  readonly onShare?: ((share: number) => void) | undefined;
}

/**
 * Reads the rows of every task, whose sources must be files by now; where no guard rows are given, 30 % of the groups
 * become the guard. `onShare` is told the share of all bytes that are read, `onNotice` what is not taken for a passage, and which task names a loss that its rows do not have. A
 * group that is on both sides is a UserError.
 */
export async function readTasks(
  { tasks, seed, start, plugins = [] }: Experiment,
  { signal, onNotice, onShare }: ReadTasksOptions = {},
): Promise<Task[]> {
  const read: UndividedRows[] = [];
  // Loaded only where rows are read by one.
  const { formats } = tasks.some(({ format }) => format) ? await pluginsAt(plugins) : noPlugins;
  const told = onShare && (await sharesOf(tasks, onShare));
  for (const { name, rows, guard, loss, format } of tasks) {
    const how = { loss, rowFormat: format && formatNamed(format, formats, name), signal, onShare: told };
    const own = await readSource(rows, how);
    read.push(guard === undefined ? own : { ...own, guard: await readSource(guard, how) });
    if (loss !== defaultLoss && own.rows.some(({ kind }) => kind === "text")) {
      onNotice?.(`tasks.${name}.loss: ${loss} is a loss of choices; these rows are texts, whose loss is nats per byte`);
    }
  }
  const splits = splitTasks(read, { seed: start?.taken?.splitSeed ?? seed, onNotice });
  return tasks.map(({ name, weight }, i) => {
    const { search = [], guard = [] } = splits[i] ?? {};
    return { name, weight, search, guard };
  });
}

/** Reads the rows of every task and tokenises them; a row that the evaluator cannot score is a UserError, too. */
export async function loadTasks(experiment: Experiment, evaluator: Evaluator, signal?: AbortSignal): Promise<Task[]> {
  const tasks = await readTasks(experiment, { signal });
  await prepareTasks(tasks, evaluator, signal);
  return tasks;
}

/** Tokenises all rows ahead of their evaluation, those that are searched on first; one that cannot be scored is a UserError. */
export async function prepareTasks(tasks: readonly Task[], evaluator: Evaluator, signal?: AbortSignal): Promise<void> {
  for (const { search } of tasks) await evaluator.prepare(search, signal);
  for (const { guard } of tasks) await evaluator.prepare(guard, signal);
}

interface RowReading {
  readonly loss: ChoiceLossName;
  readonly rowFormat: RowFormat | undefined;
  readonly signal: AbortSignal | undefined;
  readonly onShare: ((file: string, share: number) => void) | undefined;
}

function formatNamed(format: PluginName, formats: Plugins["formats"], task: string): RowFormat {
  const found = formats.get(format);
  if (found) return found;
  throw new UserError(
    `tasks.${task}.format: expected a format of the experiment's plugins${formats.size > 0 ? `, ${[...formats.keys()].join(", ")}` : ""}, found ${format}`,
  );
}

async function readSource(
  source: RowSource,
  { loss, rowFormat, signal, onShare }: RowReading,
): Promise<{ readonly file: string; readonly rows: TaskRow[] }> {
  const files = filesOf(source);
  const rows = await readRows(files, { onShare, rowFormat }, signal);
  return { file: nameFiles(files), rows: rows.map((row) => (row.kind === "choice" ? { ...row, loss } : row)) };
}

/** In bytes; a file that is missing is a fault when it is read. */
async function sizeOf(file: string): Promise<number> {
  return (await stat(file).catch(() => ({ size: 0 }))).size;
}

/** Turns shares of single files into the share of all bytes. */
async function sharesOf(
  tasks: Experiment["tasks"],
  onShare: (share: number) => void,
): Promise<(file: string, share: number) => void> {
  const files = tasks.flatMap(({ rows, guard = [] }) => [...filesOf(rows), ...filesOf(guard)]);
  const sizes = new Map(await Promise.all(files.map(async (file) => [file, await sizeOf(file)] as const)));
  const total = Array.from(sizes.values()).reduce((sum, size) => sum + size, 0);
  const read = new Map<string, number>();
  return (file, share) => {
    read.set(file, share * (sizes.get(file) ?? 0));
    onShare(Array.from(read.values()).reduce((sum, bytes) => sum + bytes, 0) / Math.max(1, total));
  };
}

/** The files of rows; a dataset must have been replaced by its files before. */
export function filesOf(source: RowSource): readonly string[] {
  if ("dataset" in source) throw new Error(`the rows of ${source.dataset} were not fetched`);
  return source;
}
