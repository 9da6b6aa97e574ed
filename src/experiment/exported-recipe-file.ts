/** Which recipes are those of exports, by what is in a file; its name may be any. */
import { join } from "node:path";
import { readTextWithin } from "../files/read-file.ts";
import { isFolder } from "./model-name.ts";

/** What an export calls its recipe. */
export const RECIPE_FILE = "recipe.json";

/** A recipe has a number for each layer, expert, group and parameter, and f32 for each column. */
export const MAX_RECIPE_BYTES = 2 ** 28;

/** Keys that an export's recipe has at some place, and none of mergekit's; one that is broken JSON has them too. */
const OWN_KEY = /"(method|rest)"\s*:/;
const MERGEKIT_KEY = /\bmerge_method"?\s*:/;

/** What a sentence about a recipe in a file begins with that is none of an export. */
export function asExported(path: string): string {
  return `${path}: expected a recipe as an export writes it`;
}

/** The path of the export's recipe that a file or an exported folder is, undefined where a file is another recipe. */
export async function exportedRecipeFile(path: string): Promise<string | undefined> {
  if (isFolder(path)) return join(path, RECIPE_FILE);
  const text = await readTextWithin(path, { what: "a recipe", maxBytes: MAX_RECIPE_BYTES });
  return /^\s*\{/.test(text) && OWN_KEY.test(text) && !MERGEKIT_KEY.test(text) ? path : undefined;
}
