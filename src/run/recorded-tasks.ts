import type { Experiment } from "../experiment/experiment-file.ts";
import { checkUnchanged, expectTensors, identify } from "../experiment/identity.ts";
import { loadTasks, type Task } from "../experiment/load-tasks.ts";
import type { Workspace } from "../experiment/workspace.ts";
import type { JournalRecord } from "../journal/records.ts";

/**
 * The rows of a recorded run. A UserError when they, or the workspace, are not those that it began with; weights that are
 * not are one as soon as they are read.
 */
export async function recordedTasks(
  folder: string,
  records: readonly JournalRecord[],
  opened: { readonly local: Experiment; readonly workspace: Workspace; readonly signal: AbortSignal | undefined },
): Promise<Task[]> {
  const { local, workspace, signal } = opened;
  const [start] = records;
  const tasks = await loadTasks(local, workspace.evaluator, signal);
  if (start?.type === "start") checkUnchanged(folder, start.identity, identify(workspace, tasks));
  for (const record of records) if (record.type === "parents") expectTensors(workspace, record);
  return tasks;
}
