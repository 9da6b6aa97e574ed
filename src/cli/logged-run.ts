import { mkdirSync } from "node:fs";
import { basename, dirname } from "node:path";
import { UserError } from "../errors.ts";
import { realPath } from "../files/real-path.ts";
import { whyRefused } from "../files/cannot-write.ts";
import { RUN_NAMES } from "../journal/run-files.ts";
import type { RunEnd } from "../run/session/events.ts";
import { EventLog } from "./event-log.ts";
import { Interrupted } from "./interruption.ts";

/** Where the events of a run in `folder` are written, if anywhere. */
export interface LogPlace {
  readonly folder: string;
  readonly events: string | undefined;
  /** Told a sentence where a write fails. */
  readonly onFailure: (sentence: string) => void;
}

/**
 * Carries a run through, whose work is given the file of events and comes to the winner's name, and writes the end behind all other
 * events, whatever it is.
 */
export async function loggedRun(
  place: LogPlace,
  work: (log: EventLog | undefined) => Promise<{ readonly winner: string }>,
): Promise<void> {
  using log = await openLog(place);
  const began = performance.now();
  const write = (end: RunEnd): void => log?.write(end);
  const seconds = (): number => Math.round(performance.now() - began) / 1000;
  try {
    const { winner } = await work(log);
    write({ type: "ended", state: "finished", winner, seconds: seconds() });
  } catch (error) {
    write(
      error instanceof Interrupted
        ? { type: "ended", state: "interrupted", seconds: seconds() }
        : { type: "failed", sentence: error instanceof Error ? error.message : String(error), seconds: seconds() },
    );
    throw error;
  }
}

/** The file may be one of the run's own folder, which is not there yet. */
export function makeFolderFor(events: string | undefined): void {
  if (events === undefined) return;
  try {
    mkdirSync(dirname(events), { recursive: true });
  } catch (cause) {
    throw new UserError(`cannot write ${events}: no folder can be made for it: ${whyRefused(dirname(events), cause)}`, {
      cause,
    });
  }
}

/** Opens the file of events, where there is to be one; a UserError where the run itself writes one of that name. */
async function openLog({ folder, events, onFailure }: LogPlace): Promise<EventLog | undefined> {
  if (events === undefined) return undefined;
  if (realPath(dirname(events)) === realPath(folder) && RUN_NAMES.includes(basename(events)))
    throw new UserError(`cannot write events to ${events}: the run has a file of that name; choose another`);
  return EventLog.open(events, onFailure);
}
