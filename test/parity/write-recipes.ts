/**
 * Writes tiny models and merges them by the recipes of test/fixtures/recipes as mergekit does, into a folder: models in
 * `<kind>/<name>`, a recipe in `<kind>/<recipe>.yml` and its merge in `<kind>/<recipe>`. Used by recipes.py.
 * @module
 */
import { copyFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { mergeModels } from "../../src/export/from-recipe/merge-models.ts";
import { recipeKinds, recipes, writeRecipeModels } from "../mergekit/recipe-models.ts";

const [, , folder = ""] = process.argv;
for (const kind of recipeKinds) {
  await writeRecipeModels(join(folder, kind), kind);
  for (const file of await readdir(join(recipes, kind))) {
    const recipe = join(folder, kind, file);
    await copyFile(join(recipes, kind, file), recipe);
    await mergeModels({ recipe, to: recipe.replace(/\.yml$/, ""), mergekitCompat: true });
  }
}
