import { resolve } from "node:path";
import { UserError } from "../../errors.ts";
import { exportedRecipeFile, RECIPE_FILE } from "../../experiment/exported-recipe-file.ts";
import type { MergekitRecipeInput } from "../../mergekit/recipe-file.ts";
import { mergekitRecipe } from "./mergekit-recipe.ts";
import type { RecipeParents } from "./own-recipe.ts";
import type { RecipeToMerge } from "./recipe-to-merge.ts";

interface RecipeToOpen extends RecipeParents {
  readonly recipe: string | MergekitRecipeInput;
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
  mergekitCompat,
  seed,
}: RecipeToOpen): Promise<RecipeToMerge> {
  const path = typeof recipe === "string" ? resolve(recipe) : undefined;
  const exported = path !== undefined && (await exportedRecipeFile(path));
  if (exported) {
    if (mergekitCompat === true || seed !== undefined)
      throw new UserError(
        `a ${RECIPE_FILE} has its own seed and no faults of mergekit's; leave out mergekitCompat and seed (--mergekit-compat, --seed)`,
      );
    // Most merges are of mergekit's recipes, and need nothing that knows runs and their journals.
    const { ownRecipe } = await import("./own-recipe.ts");
    return ownRecipe(exported, {
      ...(base !== undefined && { base }),
      ...(experts && { experts }),
    });
  }
  if (base !== undefined || experts)
    throw new UserError(
      `a recipe of mergekit's names its models itself; leave out base and experts (--base, --expert)`,
    );
  return mergekitRecipe(path ?? recipe);
}
