/** Recipes of mergekit's among those of an experiment: kept with the names of its parents in the place of their paths. */
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { realPath } from "../files/real-path.ts";
import { formatReference, parseReference } from "../hub/api/reference.ts";
import { type ModelReference, pathWithRevision, referenceText } from "../mergekit/model-reference.ts";
import { loadMergekitRecipe, type MergekitRecipeInput } from "../mergekit/recipe-file.ts";
import { withModels } from "../mergekit/recipe-text.ts";
import type { KnotRecipe } from "../space/knot-recipe.ts";
import { findModel } from "./model-name.ts";

/** A recipe of mergekit's whose models are called by the names of the experiment's. */
export interface MergekitGiven {
  readonly mergekit: MergekitRecipeInput;
}

export type GivenRecipe = KnotRecipe | MergekitGiven;

/** The parents of an experiment: folders, or names on the Hub. */
export interface GivenParents {
  readonly base: string;
  readonly experts: readonly { readonly name: string; readonly path: string }[];
}

const BASE = "base";

/** Reads a file; a UserError where a model of it is none of the experiment's. */
export async function loadGivenRecipe(path: string, parents: GivenParents): Promise<MergekitGiven> {
  const recipe = await loadMergekitRecipe(path);
  return { mergekit: withModels(recipe, (model) => parentOf(model, path, parents)) as MergekitRecipeInput };
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
