import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { nearestName } from "../../config/nearest-name.ts";
import { UserError } from "../../errors.ts";
import { parseRecipe } from "../../journal/recipe-schema.ts";
import { baseOf, BASE } from "../../experiment/the-base.ts";
import { methodName } from "../../merge/declarations.ts";
import { readJournal } from "../../journal/journal.ts";
import { isMerge, type Recipe } from "../../merge/recipe.ts";
import { allWeights } from "../../model/architecture.ts";
import { checkWeights, openModel } from "../../model/open-model.ts";
import { located, tellingsOf } from "../../run/recorded/told-places.ts";
import { whyNotMerged } from "../../space/expert-count.ts";
import { checkParameters } from "../../space/exported-recipe.ts";
import { commonDtype } from "../common-dtype.ts";
import { isForMergekit, mergekitConfig } from "../mergekit-config.ts";
import { planRecipe } from "../plan-recipe.ts";
import { readRecipeFile, recipeFiles } from "../recipe-files.ts";
import { withoutFolders } from "../without-folders.ts";
import type { RecipeToMerge } from "./recipe-to-merge.ts";

/** Models that a recipe is merged of, which has their names alone. */
export interface RecipeParents {
  readonly base?: string | undefined;
  /** By name. */
  readonly experts?: Readonly<Record<string, string>> | undefined;
  /** Whose tokens the merge has. */
  readonly tokenizer?: string | undefined;
}

/**
 * The recipe.json of an export, with base and experts as they are given, or else as the journal has them of the run that the
 * export lies in. A UserError where these do not name all that the recipe does, or others.
 */
export async function recipeInFile(path: string, given: RecipeParents): Promise<RecipeToMerge> {
  const recorded = recordedParents(dirname(dirname(path)));
  return ownRecipe(await readRecipeFile(path), path, { recorded, given });
}

/** A recipe that code gives, with its models. */
export function recipeInCode(recipe: Recipe, given: RecipeParents): RecipeToMerge {
  return ownRecipe(parseRecipe(recipe, "recipe"), "recipe", { recorded: {}, given });
}

/** A recipe with its parents; `path` is what faults call it. */
function ownRecipe(
  recipe: Recipe,
  path: string,
  { recorded, given }: { readonly recorded: RecipeParents; readonly given: RecipeParents },
): RecipeToMerge {
  const parents = parentsOf(recipe, path, { recorded, given });
  const tokenizer = given.tokenizer ?? recorded.tokenizer;
  const experiment = withoutFolders({ name: "the recipe", ...parents });
  const named = [{ name: BASE, path: parents.base }, ...parents.experts];
  const files = recipeFiles(recipe);
  return {
    // What is no expert may still be an adapter of the base, as in an experiment.
    models: new Map(named.map(({ name, path }) => [name, { model: path }])),
    donor: BASE,
    ...(tokenizer !== undefined && { tokenizer: { source: tokenizer } }),
    method: methodName(recipe.method),
    text: String(files.get("recipe.json")),
    plan: (checkpoints) => {
      const model = openModel(baseOf(checkpoints), "f32");
      for (const checkpoint of checkpoints.values()) checkWeights(model, checkpoint);
      const experts = parents.experts.map(({ name }) => name);
      inRecipe(path, () => checkRecipe(recipe, { experts, model }));
      // Configuration and weights outside the layers are the base's.
      const stacked = recipe.method === "stack" ? recipe.layers.map(({ layer }) => ({ model: BASE, layer })) : [];
      return { weights: planRecipe(recipe, model, checkpoints), layers: new Map([["", stacked]]) };
    },
    files: (checkpoints) => {
      const model = openModel(baseOf(checkpoints), "f32");
      if (!isForMergekit(recipe, { model, checkpoints })) return files;
      const adapters = new Set(Array.from(checkpoints).flatMap(([name, { isAdapter }]) => (isAdapter ? [name] : [])));
      const baseDtype = commonDtype(baseOf(checkpoints).tensors.values());
      return new Map([
        ...files,
        ["mergekit_config.yml", mergekitConfig({ experiment, recipe, model, adapters, baseDtype })],
      ]);
    },
  };
}

function checkRecipe(recipe: Recipe, { experts, model }: Parameters<typeof checkParameters>[1]): void {
  if (isMerge(recipe)) checkParameters(recipe, { experts, model });
  if (recipe.method !== "stack") return;
  const depth = Math.max(0, ...allWeights(model).map(({ layer = -1 }) => layer + 1));
  const at = recipe.layers.findIndex(({ layer }) => layer >= depth);
  if (at >= 0)
    throw new UserError(
      `layers[${at}].layer: expected one from 0 to ${depth - 1}, which the base has, found ${recipe.layers[at]?.layer}`,
    );
}

/** A fault of the recipe with its file. */
function inRecipe(path: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`${path}: ${error.message}`, { cause: error });
  }
}

/** Those of the run in a folder, if there is one. */
function recordedParents(folder: string): RecipeParents {
  if (!existsSync(join(folder, "journal.jsonl"))) return {};
  const { base, experts, tokenizer } = located(tellingsOf(folder, readJournal(folder).records), folder);
  return { base, tokenizer, experts: Object.fromEntries(experts.map(({ name, path }) => [name, path])) };
}

interface NamedParents {
  readonly base: string;
  readonly experts: readonly { readonly name: string; readonly path: string }[];
}

function parentsOf(
  recipe: Recipe,
  path: string,
  { recorded, given }: { readonly recorded: RecipeParents; readonly given: RecipeParents },
): NamedParents {
  const base = given.base ?? recorded.base;
  const experts = { ...recorded.experts, ...given.experts };
  const lacking = (what: string): UserError =>
    new UserError(`${path}: it names models and not where they are; give ${what}`);
  if (base === undefined) throw lacking("the base with --base, and each expert with --expert <name>=<model>");
  const named = expertsIn(recipe);
  checkNames(Object.keys(given.experts ?? {}), named.length > 0 ? named : Object.keys(recorded.experts ?? {}), path);
  const missing = named.find((name) => !Object.hasOwn(experts, name));
  if (missing !== undefined) throw lacking(`--expert ${missing}=<model>`);
  const names = named.length > 0 ? named : Object.keys(experts);
  const wrongCount = !isMerge(recipe) ? undefined : whyNotMerged(recipe.method, names.length);
  if (wrongCount !== undefined) throw new UserError(`${path}: ${wrongCount}`);
  return { base, experts: names.map((name) => ({ name, path: experts[name] ?? "" })) };
}

/** A UserError where a model is given by a name that is not known; where none is, any is taken. */
function checkNames(given: readonly string[], known: readonly string[], path: string): void {
  const unknown = known.length === 0 ? undefined : given.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const nearest = nearestName(unknown, known);
  const advice = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  throw new UserError(`${path}: it has no expert ${unknown} (--expert), but ${known.join(", ")}${advice}`);
}

/** The experts of a recipe in its order; none are named by one without parameters. */
function expertsIn(recipe: Recipe): readonly string[] {
  if (recipe.method === "stack")
    return [...new Set([recipe.rest, ...recipe.layers.map(({ model }) => model)])].filter((name) => name !== BASE);
  if (recipe.method === "passthrough") return recipe.model === BASE ? [] : [recipe.model];
  const curves = Object.values(recipe.parameters).flatMap((groups) => Object.values(groups));
  return Object.keys(curves[0] ?? {});
}
