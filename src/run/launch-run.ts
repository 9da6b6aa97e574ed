import { cutRows } from "../experiment/cut-rows.ts";
import { tellEqualParents } from "../experiment/equal-weights.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { identify, versions } from "../experiment/identity.ts";
import { Journal, requireFreeFolder } from "../journal/journal.ts";
import { pluginsAt } from "../plugins/load-plugins.ts";
import { carryOn, type Outcome } from "./carry-on.ts";
import { openParents } from "./open-parents.ts";
import { bringHere } from "./recorded/bring-here.ts";
import { EarlierRun } from "./recorded/earlier-run.ts";
import { recordedPaths } from "./recorded/places.ts";
import { countRows, drawForBudget, readRowsInTime } from "./rows-in-time.ts";
import { optimizerOf } from "./estimates/search-kind.ts";
import { noticesTo, refuseElsewhere, type RunOptions } from "./run-options.ts";

/**
 * Launches a search in a new folder, or in that of a run that scored nothing, and carries it through to the verdict. What
 * comes from the Hub is fetched before the budget's clock starts.
 */
export async function launchRun(given: Experiment, folder: string, options: RunOptions = {}): Promise<Outcome> {
  const onNotice = noticesTo(options);
  // Before gigabytes are fetched for it.
  if (requireFreeFolder(folder)) {
    onNotice(`the run in ${folder} ended before anything was scored; this one takes its place`);
  }
  const earlier = EarlierRun.of(given);
  const plugins = await pluginsAt(given.plugins ?? []);
  refuseElsewhere(given, options);
  const brought = await bringHere(given, options);
  await tellEqualParents(brought.local, { onNotice, signal: options.signal });
  // Models of the Hub were spoken of as they were fetched.
  const ofModels = brought.local === brought.experiment ? onNotice : undefined;
  const { clock, opening, devices, ...opened } = await openParents(brought.local, options, { onNotice: ofModels });
  await using workspace = opened.workspace;
  const experiment = earlier ? earlier.take(brought.experiment, workspace) : brought.experiment;
  const { recipes, start: beginning } = experiment;
  const local = { ...brought.local, ...(recipes && { recipes }), ...(beginning && { start: beginning }) };
  opening.isOpen();
  const read = await readRowsInTime(local, clock, { signal: options.signal, onNotice });
  opening.isRead();
  const { seed } = local;
  const { tasks, drawn } = await drawForBudget(read, { seed, evaluator: workspace.evaluator, clock, ...options });
  for (const { name, search, guard } of tasks) {
    const cut = cutRows(`rows of ${name}`, [...search, ...guard], workspace.evaluator);
    if (cut !== undefined) onNotice(cut);
  }
  const seenBefore = await earlier?.meet(tasks, options);
  const parts = optimizerOf({ experiment, plugins }).usesGradients ? (options.parts ?? devices) : 1;
  const identity = identify(workspace, tasks, plugins);
  const start = {
    began: new Date().toISOString(),
    experiment: recordedPaths(folder, experiment),
    identity,
    versions: versions(workspace, plugins),
    ...(drawn && { drawn, outOf: countRows(read) }),
    ...(parts > 1 && { parts }),
    ...seenBefore,
  };
  using journal = Journal.create(folder, start);
  const { againMs } = opening;
  return await carryOn({
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
    parts,
  });
}
