import { isDeepStrictEqual } from "node:util";
import { openCheckpoint } from "../../experiment/open-checkpoint.ts";
import { hasRowsOfTokens } from "../../checkpoint/vocabulary/token-tensors.ts";
import { tensorLine } from "../../checkpoint/weights-digest.ts";
import { UserError } from "../../errors.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import { filesOf } from "../../experiment/load-tasks.ts";
import { BASE } from "../../experiment/the-base.ts";
import { openWorkspace, type Workspace } from "../../experiment/workspace.ts";
import { realPath } from "../../files/real-path.ts";
import { Journal } from "../../journal/journal.ts";
import type { MovedPlaces } from "../../journal/records.ts";
import { type BringOptions, bringHere } from "./bring-here.ts";
import { recordedPaths, requirePlaces, withPlaces } from "./places.ts";
import { ProvenParts } from "./prove-parts.ts";
import { recordedPlugins } from "./recorded-plugins.ts";
import { recordedTasks } from "./recorded-tasks.ts";
import { experimentOf } from "./recorded-run.ts";

/**
 * Remembers where models and rows of a run are since they or the run were moved, once all is proved to be what the run began
 * with: configuration, tokenizer and rows by their recorded hashes, weights by reading every tensor that the run has read. A
 * UserError where anything is not, and where another process holds the run.
 */
export async function rememberMoved(folder: string, moved: MovedPlaces, options: BringOptions): Promise<void> {
  using journal = Journal.open(folder);
  const { records } = journal;
  const known = experimentOf(folder, records);
  const given = withPlaces(folder, known, moved);
  const parts = new ProvenParts(folder, records, given);
  if (!parts.isMoved && isDeepStrictEqual(given, known)) return;
  requirePlaces(folder, given);
  const { experiment, local } = await bringHere(given, options);
  const names = parts.movedParents;
  const lines = records.find((record) => record.type === "parents")?.tensors ?? {};
  for (const { name, path } of [{ name: BASE, path: local.base }, ...local.experts]) {
    if (names.includes(name)) await proveShapes({ name, path, base: local.base }, lines[name] ?? {}, parts);
  }
  await recordedPlugins(folder, records, local);
  await using workspace = await openWorkspace(local, { signal: options.signal });
  await recordedTasks(folder, records, { experiment: given, local, workspace, signal: options.signal });
  for (const name of names) await proveWeights(name, workspace, options);
  journal.append({ type: "moved", folder: realPath(folder), ...placesIn(recordedPaths(folder, experiment), moved) });
}

/** From the headers alone, before parents are compared with each other: of two that differ either may be the wrong one. */
async function proveShapes(
  { name, path, base }: { readonly name: string; readonly path: string; readonly base: string },
  lines: Readonly<Record<string, string>>,
  parts: ProvenParts,
): Promise<void> {
  await using checkpoint = await openCheckpoint(path, { base });
  for (const [tensor, line] of Object.entries(lines)) {
    // Embeddings have the rows of the merge's vocabulary, which is made of all parents.
    if (hasRowsOfTokens(tensor)) continue;
    const found = checkpoint.tensors.get(tensor);
    if (found && line.startsWith(tensorLine(found, ""))) continue;
    const refusal = parts.refuseTensor(name, tensor, found && tensorLine(found, ""));
    if (refusal !== undefined) throw new UserError(refusal);
  }
}

/** Reads every tensor of a parent that the run has read. */
async function proveWeights(name: string, { checkpoints }: Workspace, { onEvent }: BringOptions): Promise<void> {
  const checkpoint = checkpoints.get(name);
  if (!checkpoint) throw new Error(`moved: no parent ${name}`);
  const text = `comparing the weights of ${name} in ${checkpoint.folder} with those that the run has read`;
  onEvent?.({ type: "notice", text });
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
