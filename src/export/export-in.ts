import { existsSync } from "node:fs";
import { join } from "node:path";
import { readFileWithin } from "../files/read-file.ts";
import type { Recipe } from "../merge/recipe.ts";
import { recipeFiles } from "./recipe-files.ts";

/** A recipe has a number for each layer, expert, group and parameter. */
const RECIPE = { what: "a recipe.json", maxBytes: 2 ** 28 } as const;

/** Whether an export lies in a folder, as far as its recipe tells: of this recipe, of another, or none. */
export async function exportIn(folder: string, recipe: Recipe): Promise<"this" | "another" | "none"> {
  const path = join(folder, "recipe.json");
  if (!existsSync(path)) return "none";
  const text = await readFileWithin(path, RECIPE).then(String, () => undefined);
  return text === recipeFiles(recipe).get("recipe.json") ? "this" : "another";
}
