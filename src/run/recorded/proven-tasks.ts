import { UserError } from "../../errors.ts";
import { findChange, identifyRows } from "../../experiment/identity.ts";
import type { Task } from "../../experiment/load-tasks.ts";
import type { JournalRecord, MovedPlaces } from "../../journal/records.ts";
import { type BringOptions, bringRows } from "./bring-here.ts";
import { experimentOf } from "./recorded-run.ts";
import { requirePlaces, withPlaces } from "./places.ts";
import { ProvenParts } from "./prove-parts.ts";
import { readRecordedTasks } from "./recorded-tasks.ts";

export interface ProvenTasksOptions extends Pick<BringOptions, "signal" | "hub" | "onEvent"> {
  /** Where files of rows are, or of guard rows, that were moved: by task, absolute. */
  readonly moved?: Pick<MovedPlaces, "rows" | "guard"> | undefined;
}

/**
 * The rows of a recorded run, read again without its models. A UserError where they are not there any more, or not those
 * that the run began with.
 */
export async function readProvenTasks(
  folder: string,
  records: readonly JournalRecord[],
  { moved = {}, ...options }: ProvenTasksOptions = {},
): Promise<readonly Task[]> {
  const [start] = records;
  if (start?.type !== "start") throw new Error("rows: a journal without a start");
  const experiment = withPlaces(folder, experimentOf(folder, records), moved);
  // Whoever looks at a run has not chosen to run its plugins.
  const own = experiment.tasks.find(({ format }) => format);
  if (own)
    throw new UserError(
      `${folder}: the rows of ${own.name} are read by the plugin's format ${own.format}, which is not run for this`,
    );
  requirePlaces(folder, experiment, ({ model, isPlugin }) => model === undefined && !isPlugin);
  const tasks = await readRecordedTasks(start, await bringRows(experiment, options), options.signal);
  const found = identifyRows(tasks);
  const expected = Object.fromEntries(Object.keys(found).map((name) => [name, start.identity[name] ?? ""]));
  const change = findChange(expected, found);
  if (change) throw new UserError(new ProvenParts(folder, records, experiment).refuseIdentity(change.name, change));
  return tasks;
}
