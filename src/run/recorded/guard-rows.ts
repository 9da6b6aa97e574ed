import type { Selection } from "../../evaluate/evaluator.ts";
import type { JournalRecord } from "../../journal/records.ts";
import { standingOf } from "../../journal/standing.ts";
import { type ProvenTasksOptions, readProvenTasks } from "./proven-tasks.ts";
import { experimentOf } from "./recorded-run.ts";
import { RowOrder } from "../session/row-order.ts";

/**
 * The guard rows that the verdict of a run is on, by task in the order of its losses; none without a verdict. They are read
 * again, and a UserError where they are not there any more, or not those that the run began with.
 */
export async function readGuardRows(
  folder: string,
  records: readonly JournalRecord[],
  options: ProvenTasksOptions = {},
): Promise<Selection> {
  const { verdict } = standingOf(records);
  if (!verdict) return {};
  const tasks = await readProvenTasks(folder, records, options);
  return new RowOrder(tasks, experimentOf(folder, records).seed).rows("guard", verdict.rows);
}
