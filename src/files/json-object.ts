import { readFile } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

/** A parsed JSON object whose fields are yet to be checked. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads a file that must hold one JSON object; a UserError with its path otherwise. */
export async function readJsonObject(path: string): Promise<JsonObject> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (cause) {
    throw new UserError(`${path}: ${reasonOf(cause)}`, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UserError(`${path}: expected a JSON object, but this is not valid JSON`, { cause });
  }
  if (!isJsonObject(value)) throw new UserError(`${path}: expected a JSON object`);
  return value;
}

/** Whether parsed JSON is an object, so neither null nor an array. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
