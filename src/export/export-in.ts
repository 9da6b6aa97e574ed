import { existsSync } from "node:fs";
import { join } from "node:path";
import { MAX_RECIPE_BYTES, RECIPE_FILE } from "../experiment/exported-recipe-file.ts";
import { readFileWithin } from "../files/read-file.ts";
import type { Recipe } from "../merge/recipe.ts";
import { recipeFiles } from "./recipe-files.ts";

const RECIPE = { what: "a recipe.json", maxBytes: MAX_RECIPE_BYTES } as const;

/** Whether an export lies in a folder, as far as its recipe tells: of this recipe, of another, or none. */
export async function exportIn(folder: string, recipe: Recipe): Promise<"this" | "another" | "none"> {
  const path = join(folder, RECIPE_FILE);
  if (!existsSync(path)) return "none";
  const text = await readFileWithin(path, RECIPE).then(String, () => undefined);
  return text === recipeFiles(recipe).get(RECIPE_FILE) ? "this" : "another";
}
