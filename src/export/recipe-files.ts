/** A recipe as files of an exported folder: recipe.json, which people read, and the coefficients of columns beside it. */
import { basename, dirname, join } from "node:path";
import { UserError } from "../errors.ts";
import { asExported, MAX_RECIPE_BYTES, RECIPE_FILE } from "../experiment/exported-recipe-file.ts";
import { isJsonObject, type JsonObject, readJsonObject } from "../files/json-object.ts";
import { readFileWithin } from "../files/read-file.ts";
import { sha256Of } from "../files/sha256.ts";
import { showUntrusted } from "../files/show-untrusted.ts";
import { parseRecipe } from "../journal/recipe-schema.ts";
import { hasColumns, type Recipe, type RecipeWithColumns } from "../merge/recipe.ts";
import { COLUMNS_FILE, type DescriptionFile } from "../model-folder/description-files.ts";
import { formatColumns, parseColumns } from "./columns-file.ts";

/** The files by name: recipe.json has in the place of `columns` the name of their file, and its sha256. */
export function recipeFiles(recipe: Recipe): ReadonlyMap<DescriptionFile, string | Uint8Array> {
  const columns = hasColumns(recipe) ? formatColumns(recipe.columns) : undefined;
  if (!columns) return new Map([[RECIPE_FILE, textOf(recipe)]]);
  const named = { ...recipe, columns: { file: COLUMNS_FILE, format: "safetensors", sha256: sha256Of(columns) } };
  return new Map<DescriptionFile, string | Uint8Array>([
    [RECIPE_FILE, textOf(named)],
    [COLUMNS_FILE, columns],
  ]);
}

/** The recipe of which an exported folder has the files; a UserError where they are not as they were written. */
export function readRecipe(folder: string): Promise<Recipe> {
  return readRecipeFile(join(folder, RECIPE_FILE));
}

/** The same of a file that may have another name; coefficients of columns are in the file beside it. */
export async function readRecipeFile(path: string): Promise<Recipe> {
  const written = await readJsonObject(path, MAX_RECIPE_BYTES);
  const columns = "columns" in written ? { columns: await readColumns(path, written) } : {};
  return parseRecipe({ ...written, ...columns }, asExported(path));
}

async function readColumns(recipe: string, { columns: said }: JsonObject): Promise<RecipeWithColumns["columns"]> {
  const { file, sha256 } = isJsonObject(said) ? said : {};
  if (file !== COLUMNS_FILE) {
    throw new UserError(
      `${recipe}: columns: expected the file ${COLUMNS_FILE}, found ${showUntrusted(file)}; export again`,
    );
  }
  const path = join(dirname(recipe), COLUMNS_FILE);
  const content = await readFileWithin(path, { what: "coefficients of columns", maxBytes: MAX_RECIPE_BYTES });
  const found = sha256Of(content);
  if (found !== sha256) {
    throw new UserError(
      `${path}: expected sha256 ${showUntrusted(sha256)}, as ${basename(recipe)} says, found ${found}; export again`,
    );
  }
  return parseColumns(content, path);
}

function textOf(recipe: object): string {
  return `${JSON.stringify(recipe, null, 2)}\n`;
}
