/** All that is found for a new experiment. */
import type { Hub } from "../hub/api/hub.ts";
import { MANIFEST } from "../model-folder/manifest.ts";
import { type FoundModel, foundModelIn, modelsInCache, type UnfitModel } from "./find-models.ts";
import { type FoundRows, type FoundTask, rowFilesIn, rowsInFile, tasksOf } from "./find-rows.ts";
import { lookThrough } from "./look-through.ts";

export interface Surroundings {
  readonly models: readonly FoundModel[];
  readonly unfit: readonly UnfitModel[];
  readonly tasks: readonly FoundTask[];
}

/** Files that may hold rows and are read, the nearest; where there are more, nobody means them all. */
const MOST_FILES = 50;

/** Looks for models and rows in and under a folder; where there are no two models, for models in the Hub's cache too. */
export async function lookAround(folder: string, { cache }: Pick<Hub, "cache">): Promise<Surroundings> {
  const models: FoundModel[] = [];
  const unfit: UnfitModel[] = [];
  const files: string[] = [];
  const rows: FoundRows[] = [];
  for await (const seen of lookThrough(folder)) {
    const { path, names } = seen;
    if (names.has(MANIFEST) && names.has("recipe.json")) {
      unfit.push({ place: path, why: "it is an export of evomerge; to merge it again, name it with --expert" });
      continue;
    }
    const model = await foundModelIn(seen);
    if (model && "why" in model) unfit.push(model);
    else if (model) models.push(model);
    files.push(...rowFilesIn(seen));
  }
  for (const file of files.slice(0, MOST_FILES)) {
    const read = await rowsInFile(file);
    if (read) rows.push(read);
  }
  if (models.length < 2) models.push(...(await modelsInCache(cache)));
  return { models, unfit, tasks: tasksOf(rows) };
}
