import type { Experiment } from "../experiment/experiment.ts";
import { openEngine } from "../experiment/open-engine.ts";
import { openWorkspace, type Workspace } from "../experiment/workspace.ts";
import { noticesTo, type RunOptions } from "./run-options.ts";
import { BudgetClock, type Spent } from "./time/budget-clock.ts";
import { Opening } from "./time/opening.ts";

/** Base and experts of a run that is to go on, and the clocks that go meanwhile. */
export interface OpenedParents {
  /** The caller's from here on. */
  readonly workspace: Workspace;
  readonly clock: BudgetClock;
  readonly opening: Opening;
}

/** Opens both, the engine before the budget's clock starts, so that whoever expects a GPU and has none can stop at no cost. */
export async function openParents(
  experiment: Experiment,
  options: RunOptions,
  { spent, onNotice }: { readonly spent?: Spent; readonly onNotice?: ((text: string) => void) | undefined },
): Promise<OpenedParents> {
  const { elsewhere, signal } = options;
  const opening = new Opening(options.wall);
  const engine = options.engine ?? (await openEngine(experiment, noticesTo(options)));
  const clock = new BudgetClock(experiment.budget, spent, opening.wall);
  const { now } = opening.wall;
  const workspace = await openWorkspace(experiment, { engine, elsewhere, signal, now, onNotice });
  return { workspace, clock, opening };
}
