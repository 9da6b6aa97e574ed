import { UserError } from "../errors.ts";
import type { Experiment } from "../experiment/experiment.ts";
import type { Elsewhere } from "../experiment/workspace.ts";
import type { OpenedEngine } from "../experiment/open-engine.ts";
import type { MovedPlaces } from "../journal/records.ts";
import type { BringOptions } from "./recorded/bring-here.ts";
import type { Clock } from "./time/clock.ts";

/** Its signal interrupts the run between two steps of the device; what was recorded stays, and the run can be resumed. */
export interface RunOptions extends BringOptions {
  /** Wall-clock time of scoring after which it is recorded, so that a crash costs about so much; three minutes unless given. */
  readonly partMs?: number | undefined;
  /** Whether `exportRun` follows within the budget, which keeps time for it. */
  readonly exports?: boolean | undefined;
  /** GPUs to score on, each but the first by a process of its own; all that are alike unless given. */
  readonly devices?: number | undefined;
  /** @internal In place of the machine's own. */
  readonly wall?: Clock | undefined;
  /** @internal In place of the one that the experiment names. */
  readonly engine?: OpenedEngine | undefined;
  /** @internal What scores in place of the engine. */
  readonly elsewhere?: Elsewhere | undefined;
  /**
   * @internal Into how many parts the rows of a generation are dealt at least, where it wants gradients: parts are what devices and workers
   * share. As many as there are devices unless given; a run that goes on keeps to what it began with.
   */
  readonly parts?: number | undefined;
}

export interface ReopenOptions extends RunOptions {
  /** Where models and rows are that were moved: absolute paths or names on the Hub. It is remembered. */
  readonly moved?: MovedPlaces | undefined;
}

/** Where notices go. */
export function noticesTo({ onEvent }: Pick<RunOptions, "onEvent">): (text: string) => void {
  return (text) => onEvent?.({ type: "notice", text });
}

/** @internal Workers are sent losses as data, and have no code of a plugin. */
export function refuseElsewhere({ tasks }: Experiment, { elsewhere }: RunOptions): void {
  const task = elsewhere && tasks.find(({ format }) => format);
  if (task)
    throw new UserError(
      `tasks.${task.name}.format: workers know no format of a plugin, found ${task.format}; run without workers`,
    );
}
