import { UserError } from "../errors.ts";
import { parseJson } from "./json.ts";
import { readTextWithin } from "./read-file.ts";

/** A parsed JSON object whose fields are yet to be checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The largest configurations, with settings for every layer, have some hundred kilobytes. */
const CONFIGURATION_BYTES = 2 ** 22;

/** Reads a file that must hold one JSON object; a UserError with its path otherwise, or when it is larger than `maxBytes`. */
export async function readJsonObject(path: string, maxBytes: number = CONFIGURATION_BYTES): Promise<JsonObject> {
  const what = "a JSON object";
  const value = parseJson(await readTextWithin(path, { what, maxBytes }), path, what);
  if (!isJsonObject(value)) throw new UserError(`${path}: expected ${what}`);
  return value;
}

/** Whether parsed JSON is an object, so neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
