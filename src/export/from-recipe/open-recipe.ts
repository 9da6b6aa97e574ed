import { resolve } from "node:path";
import { UserError } from "../../errors.ts";
import { exportedRecipeFile, RECIPE_FILE } from "../../experiment/exported-recipe-file.ts";
import type { Recipe } from "../../merge/recipe.ts";
import type { MergekitRecipeInput } from "../../mergekit/recipe-file.ts";
import { mergekitRecipe } from "./mergekit-recipe.ts";
import type { RecipeParents } from "./own-recipe.ts";
import type { RecipeToMerge } from "./recipe-to-merge.ts";

interface RecipeToOpen extends RecipeParents {
  readonly recipe: string | MergekitRecipeInput | Recipe;
  readonly mergekitCompat?: boolean | undefined;
  readonly seed?: number | undefined;
}

/**
 * A recipe of either kind: a file, an exported folder or an object. A UserError where it is given what the other kind takes.
 */
export async function openRecipe({
  recipe,
  base,
  experts,
  tokenizer,
  mergekitCompat,
  seed,
}: RecipeToOpen): Promise<RecipeToMerge> {
  const path = typeof recipe === "string" ? resolve(recipe) : undefined;
  const own = path === undefined ? (isOwn(recipe) ? recipe : undefined) : await exportedRecipeFile(path);
  if (own !== undefined) {
    if (mergekitCompat === true || seed !== undefined)
      throw new UserError(
        `a ${RECIPE_FILE} has its own seed and no faults of mergekit's; leave out mergekitCompat and seed (--mergekit-compat, --seed)`,
      );
    // Most merges are of mergekit's recipes, and need nothing that knows runs and their journals.
    const { recipeInCode, recipeInFile } = await import("./own-recipe.ts");
    const given = {
      ...(base !== undefined && { base }),
      ...(experts && { experts }),
      ...(tokenizer !== undefined && { tokenizer }),
    };
    return typeof own === "string" ? recipeInFile(own, given) : recipeInCode(own, given);
  }
  if (base !== undefined || experts || tokenizer !== undefined)
    throw new UserError(
      `a recipe of mergekit's names its models itself; leave out base, experts and tokenizer (--base, --expert)`,
    );
  return mergekitRecipe(path ?? (recipe as MergekitRecipeInput));
}

/** mergekit's have a merge_method, or the methods of their parts. */
function isOwn(recipe: RecipeToOpen["recipe"]): recipe is Recipe {
  return typeof recipe === "object" && "method" in recipe;
}
