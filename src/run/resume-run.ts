import type { Budget } from "../experiment/experiment.ts";
import { prepareTasks } from "../experiment/load-tasks.ts";
import { drawnSentences } from "../journal/drawn-sentences.ts";
import { Journal } from "../journal/journal.ts";
import { carryOn, type Outcome } from "./carry-on.ts";
import { openParents } from "./open-parents.ts";
import { bringRecorded } from "./recorded/bring-here.ts";
import { recordedPlugins } from "./recorded/recorded-plugins.ts";
import { engineChange, gradientPartsOf, requireMore, spentOf } from "./recorded/recorded-run.ts";
import { recordedTasks } from "./recorded/recorded-tasks.ts";
import { rememberMoved } from "./recorded/remember-moved.ts";
import { noticesTo, refuseElsewhere, type ReopenOptions } from "./run-options.ts";

/**
 * Goes on with an interrupted run. Everything recorded is replayed, not computed again; parents, rows and genes must be
 * those of the journal. A budget, when given, takes the place of the run's own from here on, and is recorded.
 */
export async function resumeRun(
  folder: string,
  options: ReopenOptions & { readonly budget?: Budget | undefined } = {},
): Promise<Outcome> {
  await rememberMoved(folder, options.moved ?? {}, options);
  using journal = Journal.open(folder);
  const { records } = journal;
  if (options.budget) requireMore(folder, records, options.budget);
  const { experiment, local } = await bringRecorded(folder, records, options, options.budget);
  const plugins = await recordedPlugins(folder, records, local);
  refuseElsewhere(local, options);
  const { clock, opening, ...opened } = await openParents(local, options, { spent: spentOf(records) });
  await using workspace = opened.workspace;
  opening.isOpen();
  const change = engineChange(records, workspace);
  if (change !== undefined) noticesTo(options)(change);
  const tasks = await recordedTasks(folder, records, { experiment, local, workspace, signal: options.signal });
  opening.isRead();
  for (const sentence of drawnSentences(records))
    noticesTo(options)(`${sentence} A new run with more time takes more.`);
  await prepareTasks(tasks, workspace.evaluator, options.signal);
  const { againMs } = opening;
  const outcome = await carryOn({
    experiment,
    workspace,
    plugins,
    tasks,
    clock,
    againMs,
    view: journal,
    journal,
    folder,
    ...options,
    parts: options.parts ?? gradientPartsOf(records),
  });
  // A finished run had nothing to score, and its parents may be others all the same.
  for (const checkpoint of workspace.checkpoints.values()) await checkpoint.checkUnread();
  return outcome;
}
