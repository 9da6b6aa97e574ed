/** Tokens behind which a text is over, as transformers finds them. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { readJsonObject } from "../files/json-object.ts";
import { showUntrusted } from "../files/show-untrusted.ts";

/** What the classes of transformers have where config.json says nothing, by `model_type`. */
const usual: ReadonlyMap<unknown, number> = new Map([
  ["llama", 2],
  ["mistral", 2],
  ["gemma", 1],
  ["gemma2", 1],
  ["phi3", 32_000],
  ["t5", 1],
]);

/**
 * `eos_token_id` of generation_config.json, or of config.json in a folder without that file: a number, several, or none. A
 * UserError for anything else.
 */
export async function endIdsOf(folder: string): Promise<ReadonlySet<number>> {
  const own = join(folder, "generation_config.json");
  const file = existsSync(own) ? own : join(folder, "config.json");
  const config = await readJsonObject(file);
  const inferred = file === own ? null : usual.get(config["model_type"]);
  const ids: unknown[] = [config["eos_token_id"] === undefined ? (inferred ?? null) : config["eos_token_id"]].flat();
  const named = ids.filter((id) => id !== null);
  const odd = named.find((id) => !Number.isSafeInteger(id) || Number(id) < 0);
  if (odd !== undefined)
    throw new UserError(
      `${file}: eos_token_id: expected a token id, a list of them or null, found ${showUntrusted(odd)}`,
    );
  return new Set(named.map(Number));
}
