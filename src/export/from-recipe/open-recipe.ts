import { statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { UserError } from "../../errors.ts";
import type { MergekitRecipeInput } from "../../mergekit/recipe-file.ts";
import { mergekitRecipe } from "./mergekit-recipe.ts";
import { ownRecipe, type RecipeParents } from "./own-recipe.ts";
import type { RecipeToMerge } from "./recipe-to-merge.ts";

const OWN = "recipe.json";

interface RecipeToOpen extends RecipeParents {
  readonly recipe: string | MergekitRecipeInput;
  readonly mergekitCompat?: boolean | undefined;
  readonly seed?: number | undefined;
}

/**
 * A recipe of either kind: a file that is told by its name, an exported folder, which has a recipe.json, or an object. A UserError
 * where it is given what the other kind takes.
 */
export async function openRecipe({
  recipe,
  base,
  experts,
  mergekitCompat,
  seed,
}: RecipeToOpen): Promise<RecipeToMerge> {
  const path = typeof recipe === "string" ? resolve(recipe) : undefined;
  const isFolder = path !== undefined && statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  if (path !== undefined && (isFolder || basename(path) === OWN)) {
    if (mergekitCompat === true || seed !== undefined)
      throw new UserError(
        `a ${OWN} has its own seed and no faults of mergekit's; leave out mergekitCompat and seed (--mergekit-compat, --seed)`,
      );
    return ownRecipe(isFolder ? join(path, OWN) : path, {
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
