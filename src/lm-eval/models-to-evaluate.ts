import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { sha256Of } from "../files/sha256.ts";
import { listFolder } from "../checkpoint/open-weights.ts";
import { openCheckpoint } from "../experiment/open-checkpoint.ts";
import { isAdapter } from "../checkpoint/weight-files.ts";
import { readExportedFiles } from "../model-folder/exported-files.ts";
import { UserError } from "../errors.ts";
import { BASE } from "../experiment/the-base.ts";
import { exportRun } from "../export/export-run.ts";
import { readRecipe, recipeFiles } from "../export/recipe-files.ts";
import { readJournal } from "../journal/journal.ts";
import type { ScoredModel } from "../journal/records.ts";
import { standingOf } from "../journal/standing.ts";
import { requirePlaces } from "../run/recorded/places.ts";
import { experimentOf } from "../run/recorded/recorded-run.ts";
import type { RunOptions } from "../run/run-options.ts";
import type { StoredEvaluation } from "./stored-evaluation.ts";

/** How the winner is called beside its parents. */
const WINNER = "winner";

/** The folder of a model that is given as a folder or by its name on the Hub, fetched if need be. */
export type FetchModel = (model: string) => Promise<string>;

/** A model and where it is. */
export interface ModelToEvaluate {
  readonly name: string;
  readonly kind: StoredEvaluation["kind"];
  /** Folder or Hub name, as it was given. */
  readonly source: string;
  readonly folder: string;
  /** Folder of the full model that an adapter changes. */
  readonly base?: string | undefined;
  /** Of the winner of a run, once it is known. */
  readonly recipe?: ScoredModel["recipe"];
  /** `Checkpoint.weightsDigest` of the winner, once the run has a verdict on it. */
  readonly weights?: string;
  /** What a run read of its parent's weights: a line by tensor. */
  readonly tensors?: Readonly<Record<string, string>> | undefined;
}

/** A model by itself; a UserError when there is none. */
export async function modelAlone(source: string, fetchModel: FetchModel): Promise<ModelToEvaluate> {
  const folder = resolve(await fetchModel(source));
  if (!existsSync(join(folder, "config.json"))) {
    throw new UserError(
      `${source}: expected the folder of a run, with journal.jsonl, or of a model, with config.json, found neither`,
    );
  }
  const isFolder = folder === resolve(source);
  return { name: basename(isFolder ? folder : source), kind: "model", source: isFolder ? folder : source, folder };
}

/** Base, experts and winner of a run, or those of them that `only` names. The winner is where its export goes. */
export async function modelsOfRun(
  run: string,
  only: readonly string[] | undefined,
  fetchModel: FetchModel,
): Promise<readonly ModelToEvaluate[]> {
  const { records } = readJournal(run);
  const experiment = experimentOf(run, records);
  const { winner: found, verdict } = standingOf(records);
  const read = records.find((record) => record.type === "parents")?.tensors ?? {};
  const parents = [{ name: BASE, path: experiment.base }, ...experiment.experts];
  if (parents.some(({ name }) => name === WINNER))
    throw new UserError(`${run}: an expert is named "${WINNER}", as is the result; give it another name in a new run`);
  const names = [...parents.map(({ name }) => name), WINNER];
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UserError(`${run}: it has no model "${unknown}"; expected ${names.join(", ")}`);
  const wanted = (name: string): boolean => only?.includes(name) ?? true;
  requirePlaces(run, experiment, ({ model }) => model !== undefined && wanted(model));
  const chosen = parents.filter(({ name }) => wanted(name));
  const models: ModelToEvaluate[] = [];
  for (const { name, path } of chosen) {
    const folder = await fetchModel(path);
    const base =
      existsSync(folder) && isAdapter(await listFolder(folder)) ? await fetchModel(experiment.base) : undefined;
    models.push({ name, kind: "parent", source: path, folder, tensors: read[name], ...(base && { base }) });
  }
  const best = resolve(run, "best");
  const known = { ...(found && { recipe: found.recipe }), ...(verdict && { weights: verdict.weightsDigest }) };
  const winner = { name: WINNER, kind: "winner", source: best, folder: best, ...known } as const;
  return [...models, ...(wanted(WINNER) ? [winner] : [])];
}

/** Every name that a model of the run can have, in the order of reports. */
export function namesInRun(run: string): readonly string[] {
  const { experts } = experimentOf(run, readJournal(run).records);
  return [BASE, ...experts.map(({ name }) => name), WINNER];
}

/**
 * The winner with its export, which is made unless it is there as it was written. A run that goes on still has another
 * best model each time, which is exported anew. A UserError for a folder that was changed since, which no export replaces.
 */
export async function exported(run: string, winner: ModelToEvaluate, options: RunOptions): Promise<ModelToEvaluate> {
  if (!(await isExported(winner, options.signal))) await exportRun(run, options);
  return { ...winner, recipe: await readRecipe(winner.folder) };
}

/** Whether its folder is what an export of this very winner wrote: every file, and the weights that the verdict is on. */
async function isExported({ folder, recipe, weights }: ModelToEvaluate, signal?: AbortSignal): Promise<boolean> {
  if (recipe === undefined) return false;
  const found = await readExportedFiles(folder, { signal }).catch((error: unknown) => {
    signal?.throwIfAborted();
    // Not there, or the export says more of it.
    if (error instanceof UserError) return undefined;
    throw error;
  });
  if (!found || found.difference) return false;
  const ofRecipe = [...recipeFiles(recipe)];
  if (ofRecipe.some(([name, content]) => found.files.get(name)?.digests[0] !== sha256Of(content))) return false;
  if (weights === undefined) return true;
  await using checkpoint = await openCheckpoint(folder);
  return (await checkpoint.weightsDigest()) === weights;
}
