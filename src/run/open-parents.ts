import { countOrClose } from "../experiment/device-count.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { openEngine, type OpenedEngine } from "../experiment/open-engine.ts";
import { openWorkspace, type Workspace } from "../experiment/workspace.ts";
import type { SharedDevices } from "../workers/share-devices.ts";
import { noticesTo, type RunOptions } from "./run-options.ts";
import { BudgetClock, type Spent } from "./time/budget-clock.ts";
import { Opening } from "./time/opening.ts";

/** Base and experts of a run that is to go on, and the clocks that go meanwhile. */
export interface OpenedParents {
  /** The caller's from here on. */
  readonly workspace: Workspace;
  /** Of this machine, that score. */
  readonly devices: number;
  readonly clock: BudgetClock;
  readonly opening: Opening;
}

/** Opens both, the engine before the budget's clock starts, so that whoever expects a GPU and has none can stop at no cost. */
export async function openParents(
  experiment: Experiment,
  options: RunOptions,
  { spent, onNotice }: { readonly spent?: Spent; readonly onNotice?: ((text: string) => void) | undefined },
): Promise<OpenedParents> {
  const { signal } = options;
  const opening = new Opening(options.wall);
  const opened = options.engine ?? (await openEngine(experiment, noticesTo(options)));
  const { device } = opened;
  const { count: devices, why } = options.elsewhere
    ? { count: 1, why: opened.why }
    : await countOrClose(experiment, opened, options.devices);
  const engine = { device, why };
  const clock = new BudgetClock(experiment.budget, spent, opening.wall);
  const { now } = opening.wall;
  const shared = devices > 1 ? await share(experiment, engine, devices, options) : undefined;
  try {
    const elsewhere = options.elsewhere ?? shared;
    const workspace = await openWorkspace(experiment, { engine, elsewhere, signal, now, onNotice });
    return { workspace: shared ? endingWith(workspace, shared) : workspace, devices, clock, opening };
  } catch (error) {
    await shared?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Nothing of it is loaded where one device scores. */
async function share(
  experiment: Experiment,
  engine: OpenedEngine,
  count: number,
  options: RunOptions,
): Promise<SharedDevices> {
  const { shareDevices } = await import("../workers/share-devices.ts");
  return shareDevices(experiment, engine, { count, onNotice: noticesTo(options) });
}

function endingWith(workspace: Workspace, shared: SharedDevices): Workspace {
  const end = async (): Promise<void> => {
    await shared[Symbol.asyncDispose]();
    await workspace[Symbol.asyncDispose]();
  };
  return { ...workspace, [Symbol.asyncDispose]: end };
}
