import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { readJsonObject } from "../files/json-object.ts";
import { readTextWithin } from "../files/read-file.ts";
import { MANIFEST, MANIFEST_FILE, parseManifest } from "../checkpoint/manifest.ts";
import { UserError } from "../errors.ts";
import type { Experiment } from "../experiment/experiment-file.ts";
import { recordedExperiment } from "../experiment/recorded-experiment.ts";
import { BASE } from "../experiment/workspace.ts";
import { exportRun } from "../export/export-run.ts";
import { recipeText } from "../export/write-model.ts";
import { readJournal } from "../journal/journal.ts";
import type { JournalRecord } from "../journal/records.ts";
import type { RunOptions } from "../run/run-experiment.ts";
import type { StoredEvaluation } from "./stored-evaluation.ts";

/** How the winner is called beside its parents. */
export const WINNER = "winner";

/** The folder of a model that is given as a folder or by its name on the Hub, fetched if need be. */
export type FetchModel = (model: string) => Promise<string>;

/** A model and where it is. */
export interface ModelToEvaluate {
  readonly name: string;
  readonly kind: StoredEvaluation["kind"];
  /** Folder or Hub name, as it was given. */
  readonly source: string;
  readonly folder: string;
  /** Of the winner of a run, once it is known. */
  readonly recipe?: object;
  /** What a run read of its parent's weights: a line by tensor. */
  readonly tensors?: Readonly<Record<string, string>> | undefined;
}

/** A model by itself; a UserError when there is none. */
export async function modelAlone(source: string, fetchModel: FetchModel): Promise<ModelToEvaluate> {
  const folder = resolve(await fetchModel(source));
  if (!existsSync(join(folder, "config.json"))) {
    throw new UserError(
      `${source}: expected the folder of a run, with journal.jsonl, or of a model, with config.json; found neither`,
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
  const recipe = records.find((record) => record.type === "finalists")?.winner.recipe;
  const read = records.find((record) => record.type === "parents")?.tensors ?? {};
  const parents = [{ name: BASE, path: experiment.base }, ...experiment.experts];
  if (parents.some(({ name }) => name === WINNER))
    throw new UserError(`${run}: an expert is named "${WINNER}", as is the result; give it another name in a new run`);
  const names = [...parents.map(({ name }) => name), WINNER];
  const unknown = only?.find((name) => !names.includes(name));
  if (unknown !== undefined) throw new UserError(`${run}: it has no model "${unknown}"; expected ${names.join(", ")}`);
  const wanted = (name: string): boolean => only?.includes(name) ?? true;
  const chosen = parents.filter(({ name }) => wanted(name));
  const models: ModelToEvaluate[] = [];
  for (const { name, path } of chosen) {
    models.push({ name, kind: "parent", source: path, folder: await fetchModel(path), tensors: read[name] });
  }
  const best = resolve(run, "best");
  const winner = { name: WINNER, kind: "winner", source: best, folder: best, ...(recipe ? { recipe } : {}) } as const;
  return [...models, ...(wanted(WINNER) ? [winner] : [])];
}

function experimentOf(run: string, [start]: readonly JournalRecord[]): Experiment {
  return recordedExperiment(run, start?.type === "start" ? start.experiment : undefined);
}

/** Every name that a model of the run can have, in the order of reports. */
export function namesInRun(run: string): readonly string[] {
  const { experts } = experimentOf(run, readJournal(run).records);
  return [BASE, ...experts.map(({ name }) => name), WINNER];
}

/**
 * The winner with its export, which is made unless it is there. A run that goes on still has another best model each
 * time, which is exported anew.
 */
export async function exported(run: string, winner: ModelToEvaluate, options: RunOptions): Promise<ModelToEvaluate> {
  const manifest = await readTextWithin(join(winner.folder, MANIFEST), MANIFEST_FILE).catch(() => "");
  const exportedRecipe = parseManifest(manifest)?.get("recipe.json");
  const isCurrent = winner.recipe !== undefined && exportedRecipe === sha256(recipeText(winner.recipe));
  if (!isCurrent) await exportRun(run, options);
  return { ...winner, recipe: await readJsonObject(join(winner.folder, "recipe.json")) };
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
