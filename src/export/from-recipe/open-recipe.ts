import { statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../errors.ts";
import type { MergekitRecipeInput } from "../../mergekit/recipe-file.ts";
import { mergekitRecipe } from "./mergekit-recipe.ts";
import { ownRecipe, type RecipeParents } from "./own-recipe.ts";
import type { RecipeToMerge } from "./recipe-to-merge.ts";

const OWN = "recipe.json";

/** A recipe of either kind: a file that is told by its name, an exported folder, which has a recipe.json, or an object. */
export async function openRecipe({
  recipe,
  base,
  experts,
}: RecipeParents & { readonly recipe: string | MergekitRecipeInput }): Promise<RecipeToMerge> {
  const path = typeof recipe === "string" ? resolve(recipe) : undefined;
  const isFolder = path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (path !== undefined && (isFolder || basename(path) === OWN))
    return ownRecipe(isFolder ? join(path, OWN) : path, {
      ...(base !== undefined && { base }),
      ...(experts && { experts }),
    });
  if (base !== undefined || experts)
    throw new UserError(
      `a recipe of mergekit's names its models itself; leave out base and experts (--base, --expert)`,
    );
  return mergekitRecipe(path ?? recipe);
}
