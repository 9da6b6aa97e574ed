/**
 * Recipes in files among those of an experiment: one of mergekit's is kept with the names of its parents in the place of their
 * paths, that of an export as it is.
 */
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { readJsonObject } from "../files/json-object.ts";
import { realPath } from "../files/real-path.ts";
import { formatReference, parseReference } from "../hub/api/reference.ts";
import { parseRecipe } from "../journal/recipe-schema.ts";
import type { Recipe } from "../merge/recipe.ts";
import { type ModelReference, pathWithRevision, referenceText } from "../mergekit/model-reference.ts";
import { loadMergekitRecipe, type MergekitRecipeInput } from "../mergekit/recipe-file.ts";
import { withModels } from "../mergekit/recipe-text.ts";
import type { KnotRecipe } from "../space/knot-recipe.ts";
import { asExported, exportedRecipeFile, MAX_RECIPE_BYTES } from "./exported-recipe-file.ts";
import { findModel } from "./model-name.ts";

/** A recipe of mergekit's whose models are called by the names of the experiment's. */
export interface MergekitGiven {
  readonly mergekit: MergekitRecipeInput;
}

/** The recipe of an export, whose experts have the names of the experiment's. */
export interface ExportedGiven {
  readonly exported: Recipe;
}

export type GivenRecipe = KnotRecipe | MergekitGiven | ExportedGiven;

/** The parents of an experiment: folders, or names on the Hub. */
export interface GivenParents {
  readonly base: string;
  readonly experts: readonly { readonly name: string; readonly path: string }[];
}

const BASE = "base";

/** Reads a file, or the one in the folder of an export; a UserError where a model of a recipe of mergekit's is none of the experiment's. */
export async function loadGivenRecipe(path: string, parents: GivenParents): Promise<MergekitGiven | ExportedGiven> {
  const exported = await exportedRecipeFile(path);
  if (exported !== undefined) return { exported: await loadExported(exported) };
  const recipe = await loadMergekitRecipe(path);
  return { mergekit: withModels(recipe, (model) => parentOf(model, path, parents)) as MergekitRecipeInput };
}

async function loadExported(path: string): Promise<Recipe> {
  const written = await readJsonObject(path, MAX_RECIPE_BYTES);
  if ("columns" in written)
    throw new UserError(
      `${path}: it has coefficients by column, which no recipe of an experiment has; give one without`,
    );
  return parseRecipe(written, asExported(path));
}

function parentOf(model: ModelReference, file: string, { base, experts }: GivenParents): string {
  const all = [{ name: BASE, path: base }, ...experts];
  const named = (text: string): string | undefined => {
    const called = all.find(({ name }) => name === text);
    return (called ?? all.find(({ path }) => isSame(path, text, dirname(file))))?.name;
  };
  const { adapter } = model;
  const own = named(pathWithRevision(model));
  // An adapter is an expert by itself, and is one of the base.
  const found = adapter === undefined ? own : own === BASE ? named(pathWithRevision(adapter)) : undefined;
  if (found !== undefined) return found;
  const known = all.map(({ name, path }) => `${name} (${path})`).join(", ");
  throw new UserError(`${file}: ${referenceText(model)} is no model of the experiment; expected ${known}`);
}

function isSame(path: string, text: string, folder: string): boolean {
  const found = findModel(text, folder);
  if ("folder" in found) return realPath(path) === realPath(found.folder);
  const reference = parseReference(path);
  return reference !== undefined && formatReference(reference) === formatReference(found.reference);
}
