import { UserError } from "../errors.ts";
import { BASE } from "./the-base.ts";
import { parseRecipe } from "../journal/recipe-schema.ts";
import { methodName } from "../merge/declarations.ts";
import { isMerge, type Recipe } from "../merge/recipe.ts";
import type { Parents } from "../space/coefficient.ts";
import { checkParameters } from "../space/exported-recipe.ts";
import { isStackOf, isWhole } from "../space/is-whole.ts";

/** A recipe that code gives, which may be any object; a UserError where it is no recipe of these parents. */
export function checkedRecipe(given: Recipe, parents: Parents): Recipe {
  const recipe = parseRecipe(given, "recipe");
  const models = [BASE, ...parents.experts];
  if (recipe.method === "passthrough") {
    if (models.includes(recipe.model)) return recipe;
    throw new UserError(`recipe: model: expected one of ${models.join(", ")}, found ${recipe.model}`);
  }
  if (!isMerge(recipe)) {
    if (isStackOf(recipe, { models, model: parents.model })) return recipe;
    throw new UserError(`recipe: layers: expected layers that ${models.join(", ")} have, found others`);
  }
  // In the place of curves a weight may have columns, of which that check knows nothing.
  if (!recipe.columns) inRecipe(() => checkParameters(recipe, parents));
  if (isWhole(recipe, parents)) return recipe;
  throw new UserError(
    `recipe: expected values of every parameter of ${methodName(recipe.method)} for every weight and each of ${parents.experts.join(", ")}, and no others; found some that are missing or of something else`,
  );
}

function inRecipe(check: () => void): void {
  try {
    check();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`recipe: ${error.message}`, { cause: error });
  }
}
