import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { explainFailure } from "../../files/durable-write.ts";
import { JOURNAL } from "../../journal/run-files.ts";
import { readRunStatus, type RunStatus } from "./run-status.ts";

/** What a list reads, that written last first: a thousand ordinary journals, or one of the largest. */
const LIMITS: ListLimits = { runs: 1000, bytes: 2 ** 28 };

export interface ListLimits {
  readonly runs: number;
  /** Of their journals. */
  readonly bytes: number;
}

/** The runs of a folder, that written last first. */
export interface RunList {
  readonly runs: readonly (RunStatus | UnreadableRun)[];
  /** Runs that were not read: those written before all others. */
  readonly leftOut: number;
}

/** A run whose journal cannot be read, and why. */
export interface UnreadableRun {
  readonly folder: string;
  readonly name: string;
  readonly state: "unreadable";
  readonly why: string;
}

/** Reads how the runs of a folder stand, without writing; what is no run is passed over. A UserError where the folder cannot be read, or is a run itself. */
export function listRuns(folder: string, limits = LIMITS): RunList {
  const journals = journalsIn(folder);
  if (journals.length === 0 && journalIn(folder, "").length > 0) {
    throw new UserError(`${folder} is a run itself: expected a folder of runs; status tells of one`);
  }
  let bytes = 0;
  const within = journals.slice(0, limits.runs).findIndex((journal) => (bytes += journal.bytes) > limits.bytes);
  // A single one that is too large says so itself.
  const count = within === -1 ? Math.min(limits.runs, journals.length) : Math.max(1, within);
  return {
    runs: journals.slice(0, count).map(({ name }) => statusOrFault(join(folder, name), name)),
    leftOut: journals.length - count,
  };
}

interface FoundJournal {
  readonly name: string;
  readonly bytes: number;
  readonly writtenMs: number;
}

function journalsIn(folder: string): readonly FoundJournal[] {
  return explainFailure(`${folder}: expected a folder of runs`, () => readdirSync(folder))
    .flatMap((name) => journalIn(folder, name))
    .toSorted((a, b) => b.writtenMs - a.writtenMs || (a.name < b.name ? -1 : 1));
}

function journalIn(folder: string, name: string): FoundJournal[] {
  try {
    const { size, mtimeMs } = statSync(join(folder, name, JOURNAL));
    return [{ name, bytes: size, writtenMs: mtimeMs }];
  } catch {
    // A file, another folder, or one that is closed to us.
    return [];
  }
}

function statusOrFault(folder: string, name: string): RunStatus | UnreadableRun {
  try {
    return readRunStatus(folder).status;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { folder, name, state: "unreadable", why: error.message };
  }
}
