import { accessSync, constants, mkdirSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join, relative, sep } from "node:path";
import { UserError } from "../../errors.ts";
import { readFileWithin } from "../../files/read-file.ts";
import { realPath } from "../../files/real-path.ts";
import { sha256Of } from "../../files/sha256.ts";
import { whyRefused } from "../../files/cannot-write.ts";
import { RUN_NAMES } from "../../journal/run-files.ts";
import { untimedText } from "./event-message.ts";
import { payloadsIn } from "./tf-record.ts";

/** What TensorBoard takes for files of events. */
const EVENT_FILE = /tfevents/;
const MOST_BYTES = 2 ** 28;

/** A folder for the scalars of one run. TensorBoard takes all event files of a folder for those of one run. */
export interface ScalarFolder {
  readonly path: string;
  /** How the names of the run's files end. */
  readonly mark: string;
  /** The scalars that are in the folder, without their times. */
  readonly written: ReadonlySet<string>;
}

/**
 * Makes a folder for the scalars of the run in `run`, or opens that of a run which goes on. A UserError where nothing can be
 * written to it, where the run itself writes what has its name, and where it holds the events of another run; what an earlier
 * run of that folder left there is another's for a new run.
 */
export async function openScalarFolder(path: string, run: string, isNew: boolean): Promise<ScalarFolder> {
  const inRun = relative(realPath(run), realPath(path)).split(sep)[0] ?? "";
  if (RUN_NAMES.includes(inRun))
    throw new UserError(`cannot write scalars to ${path}: the run has a file of that name; choose another`);
  const names = eventFilesIn(path);
  // By the way from one folder to the other, which stays where both are moved.
  const mark = `.evomerge-${sha256Of(relative(realPath(path), realPath(run))).slice(0, 12)}`;
  const written = new Set<string>();
  for (const name of names.filter((name) => name.endsWith(mark)).toSorted()) {
    const file = await readFileWithin(join(path, name), { what: "a file of events", maxBytes: MOST_BYTES });
    // The first names the version.
    for (const message of payloadsIn(file).slice(1)) written.add(untimedText(message));
  }
  if (names.some((name) => !name.endsWith(mark)) || (isNew && written.size > 0))
    throw new UserError(`cannot write scalars to ${path}: it holds those of another run; choose another folder`);
  return { path, mark, written };
}

/** As TensorBoard's own writer has it; files of one folder are read in the order of their names. */
export function eventFileName(mark: string, seconds: number): string {
  const host = hostname()
    .replaceAll(/[^\w-]/g, "-")
    .slice(0, 64);
  return `events.out.tfevents.${String(Math.floor(seconds)).padStart(10, "0")}.${host}.${process.pid}${mark}`;
}

/** Names of the event files of a folder that can be written to, which is made where it is not there yet. */
function eventFilesIn(path: string): readonly string[] {
  try {
    mkdirSync(path, { recursive: true });
    accessSync(path, constants.W_OK);
    return readdirSync(path).filter((name) => EVENT_FILE.test(name));
  } catch (cause) {
    throw new UserError(`cannot write scalars to ${path}: ${whyRefused(path, cause)}`, { cause });
  }
}
