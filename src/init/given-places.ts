/** Models and rows that a person names. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { shippedFile } from "../config/shipped-file.ts";
import { UserError } from "../errors.ts";
import { modelPlace, rowsFile, spaceFileAt } from "../experiment/places-in-file.ts";
import { parseReference } from "../hub/api/reference.ts";
import type { DraftRows } from "./experiment-text.ts";
import { type FoundModel, foundModelIn } from "./find-models.ts";

/** A model in a folder, which is looked at, or by its name on the Hub; a UserError where there is none that can be merged. */
export async function givenModel(text: string): Promise<FoundModel> {
  const place = modelPlace(text, "");
  const reference = parseReference(place);
  if (reference) return { folder: "", place, name: basename(reference.name), identity: undefined, madeFrom: undefined };
  const found = await foundModelIn({ path: place, names: new Set(await readdir(place)) });
  if (found === undefined)
    throw new UserError(`${place}: expected a model, with config.json and weights, or an adapter; found neither`);
  if ("why" in found) throw new UserError(found.why);
  return found;
}

/** A search space by its name, where it ships, or its absolute path; a UserError where there is none. */
export function givenSpace(text: string): string {
  return shippedFile(text, "", "search space") === undefined ? spaceFileAt(text, "") : text;
}

/** The rows of a task in files, or in a dataset of the Hub as org/name or org/name@revision; a UserError for a file that is not there. */
export function givenRows(task: string, texts: readonly string[]): DraftRows {
  const [first = ""] = texts;
  if (texts.length === 1 && parseReference(first) && !existsSync(resolve(first)))
    return { dataset: first, config: task };
  return texts.map((text) => rowsFile(text, ""));
}
