import type { Experiment } from "../experiment/experiment-file.ts";
import { checkUnchanged, expectTensors, identify } from "../experiment/identity.ts";
import { drawnTasks } from "../experiment/draw-rows.ts";
import { readTasks, type Task } from "../experiment/load-tasks.ts";
import type { Workspace } from "../experiment/workspace.ts";
import type { JournalRecord } from "../journal/records.ts";

/**
 * The rows of a recorded run, as many as it took, not tokenised. A UserError when they, or the workspace, are not those that it began with; weights that are
 * not are one as soon as they are read.
 */
export async function recordedTasks(
  folder: string,
  records: readonly JournalRecord[],
  opened: { readonly local: Experiment; readonly workspace: Workspace; readonly signal: AbortSignal | undefined },
): Promise<readonly Task[]> {
  const { local, workspace, signal } = opened;
  const [start] = records;
  const read = await readTasks(local, { signal });
  const drawn = start?.type === "start" ? start.drawn : undefined;
  const tasks = drawn ? drawnTasks(read, drawn, local.seed) : read;
  if (start?.type === "start") checkUnchanged(folder, start.identity, identify(workspace, tasks));
  for (const record of records) if (record.type === "parents") expectTensors(workspace, record);
  return tasks;
}
