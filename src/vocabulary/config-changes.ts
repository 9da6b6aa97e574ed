/** What config.json says of tokens, as it is true of another vocabulary. */
import type { JsonObject } from "../files/json-object.ts";
import { withMembers, withoutMembers } from "../files/json-members.ts";

/** Fields with other values; one that is left out is undefined. */
export type ConfigChanges = Readonly<Record<string, unknown>>;

export interface ChangedVocabulary {
  readonly rows: number;
  /** Whether a head stands beside an embedding that was a head too. */
  readonly isUntied: boolean;
  /** The config.json of the model whose tokenizer it is. */
  readonly owner: JsonObject;
}

/** The fields of a base's config.json that are not true of its merge. */
export function configChanges(config: JsonObject, { rows, isUntied, owner }: ChangedVocabulary): ConfigChanges {
  const ids = Object.keys({ ...config, ...owner }).filter((name) => name.endsWith("_token_id"));
  const wanted = {
    vocab_size: rows,
    ...(isUntied && { tie_word_embeddings: false }),
    ...Object.fromEntries(ids.map((name) => [name, owner[name]])),
  };
  return Object.fromEntries(
    Object.entries(wanted).filter(([name, value]) => JSON.stringify(config[name]) !== JSON.stringify(value)),
  );
}

/** The file's object with the changes. */
export function withChanges(config: JsonObject, changes: ConfigChanges): JsonObject {
  return Object.fromEntries(Object.entries({ ...config, ...changes }).filter(([, value]) => value !== undefined));
}

/** The file's text with the changes; all else stays as it is written. */
export function textWithChanges(text: string, changes: ConfigChanges): string {
  const entries = Object.entries(changes);
  const values = Object.fromEntries(entries.filter(([, value]) => value !== undefined));
  const leftOut = new Set(entries.flatMap(([name, value]) => (value === undefined ? [name] : [])));
  const changed = Object.keys(values).length === 0 ? text : withMembers(text, values);
  return leftOut.size === 0 ? changed : withoutMembers(changed, leftOut);
}
