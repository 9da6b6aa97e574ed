import { UserError } from "../errors.ts";
import type { Selection } from "../evaluate/evaluator.ts";
import { findChange, identifyRows } from "../experiment/identity.ts";
import type { JournalRecord, MovedPlaces } from "../journal/records.ts";
import { standingOf } from "../journal/standing.ts";
import { type BringOptions, bringRows } from "./bring-here.ts";
import { experimentOf } from "./recorded-run.ts";
import { requirePlaces, withPlaces } from "./places.ts";
import { ProvenParts } from "./prove-parts.ts";
import { readRecordedTasks } from "./recorded-tasks.ts";
import { RowOrder } from "./row-order.ts";

export interface GuardRowsOptions extends Pick<BringOptions, "signal" | "hub" | "onEvent"> {
  /** Where files of rows are, or of guard rows, that were moved: by task, absolute. */
  readonly moved?: Pick<MovedPlaces, "rows" | "guard"> | undefined;
}

/**
 * The guard rows that the verdict of a run is on, by task in the order of its losses; none without a verdict. They are read
 * again, and a UserError where they are not there any more, or not those that the run began with.
 */
export async function readGuardRows(
  folder: string,
  records: readonly JournalRecord[],
  { moved = {}, ...options }: GuardRowsOptions = {},
): Promise<Selection> {
  const { verdict } = standingOf(records);
  const [start] = records;
  if (!verdict || start?.type !== "start") return {};
  const experiment = withPlaces(folder, experimentOf(folder, records), moved);
  requirePlaces(folder, experiment, ({ model }) => model === undefined);
  const local = await bringRows(experiment, options);
  const tasks = await readRecordedTasks(start, local, options.signal);
  const found = identifyRows(tasks);
  const expected = Object.fromEntries(Object.keys(found).map((name) => [name, start.identity[name] ?? ""]));
  const change = findChange(expected, found);
  if (change) throw new UserError(new ProvenParts(folder, records, experiment).refuseIdentity(change.name, change));
  return new RowOrder(tasks, experiment.seed).rows("guard", verdict.rows);
}
