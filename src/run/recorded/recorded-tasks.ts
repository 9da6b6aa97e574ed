import { UserError } from "../../errors.ts";
import { findChange, expectTensors, identify } from "../../experiment/identity.ts";
import { drawnTasks } from "../../experiment/draw-rows.ts";
import { readTasks, type Task } from "../../experiment/load-tasks.ts";
import type { Workspace } from "../../experiment/workspace.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import type { JournalRecord } from "../../journal/records.ts";
import type { Brought } from "./bring-here.ts";
import { recordedPlugins } from "./recorded-plugins.ts";
import { ProvenParts } from "./prove-parts.ts";

/**
 * The rows of a recorded run, as many as it took, not tokenised. A UserError when they, or the workspace, are not those that it began with; weights that are
 * not are one as soon as they are read.
 */
export async function recordedTasks(
  folder: string,
  records: readonly JournalRecord[],
  opened: Brought & { readonly workspace: Workspace; readonly signal: AbortSignal | undefined },
): Promise<readonly Task[]> {
  const { experiment, local, workspace, signal } = opened;
  const parts = new ProvenParts(folder, records, experiment);
  const [start] = records;
  const plugins = await recordedPlugins(folder, records, local);
  const tasks = await readRecordedTasks(start, local, signal);
  const change = start?.type === "start" ? findChange(start.identity, identify(workspace, tasks, plugins)) : undefined;
  if (change) throw new UserError(parts.refuseIdentity(change.name, change));
  for (const record of records) {
    if (record.type === "parents") expectTensors(workspace, record, (...found) => parts.refuseTensor(...found));
  }
  return tasks;
}

/** The rows that a run takes of those in its experiment's files, whatever they are now. */
export async function readRecordedTasks(
  start: JournalRecord | undefined,
  local: Experiment,
  signal: AbortSignal | undefined,
): Promise<readonly Task[]> {
  const read = await readTasks(local, { signal });
  const drawn = start?.type === "start" ? start.drawn : undefined;
  return drawn ? drawnTasks(read, drawn, local.seed) : read;
}
