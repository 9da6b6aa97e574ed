import { resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../errors.ts";
import type { Experiment } from "../experiment/experiment-file.ts";
import { filesOf } from "../experiment/load-tasks.ts";
import { BASE, openWorkspace, type Workspace } from "../experiment/workspace.ts";
import { Journal } from "../journal/journal.ts";
import type { MovedPlaces } from "../journal/records.ts";
import { type BringOptions, bringHere } from "./bring-here.ts";
import { recordedPaths, requirePlaces, withPlaces } from "./places.ts";
import { recordedTasks } from "./recorded-tasks.ts";
import { experimentOf } from "./recorded-run.ts";

/**
 * Remembers where models and rows of a run are since they were moved, once all is proved to be what the run began with:
 * configuration, tokenizer and rows by their recorded hashes, weights by reading every tensor that the run has read. A
 * UserError where anything is not, and where another process holds the run.
 */
export async function rememberMoved(folder: string, moved: MovedPlaces, options: BringOptions): Promise<void> {
  using journal = Journal.open(folder);
  const { records } = journal;
  const known = experimentOf(folder, records);
  const given = withPlaces(folder, known, moved);
  if (isDeepStrictEqual(given, known)) return;
  requirePlaces(folder, given);
  const { experiment, local } = await bringHere(given, options);
  await using workspace = await openWorkspace(local, { signal: options.signal });
  await recordedTasks(folder, records, { local, workspace, signal: options.signal });
  const names = [...(moved.base === undefined ? [] : [BASE]), ...Object.keys(moved.experts ?? {})];
  for (const name of names) await proveWeights(name, workspace, options);
  journal.append({ type: "moved", folder: resolve(folder), ...placesIn(recordedPaths(folder, experiment), moved) });
}

/** Reads every tensor of a parent that the run has read. */
async function proveWeights(name: string, { checkpoints }: Workspace, { onEvent }: BringOptions): Promise<void> {
  const checkpoint = checkpoints.get(name);
  if (!checkpoint) throw new Error(`moved: no parent ${name}`);
  const { folder, known, tensors } = checkpoint;
  const missing = Array.from(known.keys()).find((tensor) => !tensors.has(tensor));
  if (missing !== undefined)
    throw new UserError(`${folder}: has no tensor ${missing}, which the run has read of ${name}`);
  onEvent?.({ type: "notice", text: `comparing the weights of ${name} in ${folder} with those that the run has read` });
  await checkpoint.checkUnread();
}

/** The places of an experiment that are among those given. */
function placesIn({ base, experts, tasks }: Experiment, given: MovedPlaces): MovedPlaces {
  return {
    ...(given.base !== undefined && { base }),
    ...(given.experts && { experts: named(given.experts, experts, ({ path }) => path) }),
    ...(given.rows && { rows: named(given.rows, tasks, ({ rows }) => filesOf(rows)) }),
    ...(given.guard && { guard: named(given.guard, tasks, ({ guard = [] }) => filesOf(guard)) }),
  };
}

function named<T extends { readonly name: string }, Place>(
  given: Readonly<Record<string, unknown>>,
  all: readonly T[],
  placeOf: (one: T) => Place,
): Readonly<Record<string, Place>> {
  const chosen = all.filter(({ name }) => Object.hasOwn(given, name));
  return Object.fromEntries(chosen.map((one) => [one.name, placeOf(one)]));
}
