/**
 * Writes tiny models and merges them by the recipes of test/fixtures/recipes as mergekit does, into a folder: models in
 * `<kind>/<name>`, a recipe in `<kind>/<recipe>.yml` and its merge in `<kind>/<recipe>`, which `<kind>/<recipe>.bf16` has in bf16.
 * Used by recipes.py.
 * @module
 */
import { copyFile, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { mergeModels } from "../../src/export/from-recipe/merge-models.ts";
import { recipeKinds, recipes, writeRecipeModels } from "../mergekit/recipe-models.ts";

const [, , folder = ""] = process.argv;
for (const kind of recipeKinds) {
  await writeRecipeModels(join(folder, kind), kind);
  for (const file of await readdir(join(recipes, kind))) {
    const recipe = join(folder, kind, file);
    await copyFile(join(recipes, kind, file), recipe);
    const to = recipe.replace(/\.yml$/, "");
    await mergeModels({ recipe, to, mergekitCompat: true });
    const rounded = `${to}.rounded`;
    await writeFile(rounded, `${await readFile(recipe, "utf8")}\nout_dtype: bfloat16\n`);
    await mergeModels({ recipe: rounded, to: `${to}.bf16`, mergekitCompat: true });
  }
}
