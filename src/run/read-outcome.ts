import type { Task } from "../experiment/load-tasks.ts";
import { openWorkspace, type Workspace } from "../experiment/workspace.ts";
import { readJournal } from "../journal/journal.ts";
import { carryOn, type Outcome } from "./carry-on.ts";
import { bringRecorded } from "./recorded/bring-here.ts";
import { recordedPlugins } from "./recorded/recorded-plugins.ts";
import { spentOf } from "./recorded/recorded-run.ts";
import { recordedTasks } from "./recorded/recorded-tasks.ts";
import { rememberMoved } from "./recorded/remember-moved.ts";
import type { ReopenOptions } from "./run-options.ts";
import { BudgetClock } from "./time/budget-clock.ts";

/** What a run has found so far, finished or not, read without disturbing it; the workspace stays the caller's. */
export async function readOutcome(
  folder: string,
  options: ReopenOptions = {},
): Promise<Outcome & { readonly workspace: Workspace; readonly tasks: readonly Task[] }> {
  if (options.moved) await rememberMoved(folder, options.moved, options);
  const view = readJournal(folder);
  const { records } = view;
  const { experiment, local } = await bringRecorded(folder, records, options);
  const plugins = await recordedPlugins(folder, records, local);
  const clock = new BudgetClock(experiment.budget, spentOf(records));
  const workspace = await openWorkspace(local, { signal: options.signal });
  try {
    const tasks = await recordedTasks(folder, records, { experiment, local, workspace, signal: options.signal });
    return {
      ...(await carryOn({ experiment, workspace, plugins, tasks, clock, againMs: 0, view, folder })),
      workspace,
      tasks,
    };
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
}
