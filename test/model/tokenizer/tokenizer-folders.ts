import { readFileSync } from "node:fs";
import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "../../temporary-folder.ts";

const fixtures = join(import.meta.dirname, "..", "..", "fixtures", "tasks");

export const names = ["byte-level", "byte-level-bos", "metaspace-bos"] as const;

/** Ids as lm_eval and the reference implementation give them. */
export const fixture = JSON.parse(readFileSync(join(fixtures, "lm-eval.json"), "utf8")) as {
  pairs: [context: string, continuation: string][];
  encodings: { tokenizer: string; addBos: boolean | null; ids: [context: number[], continuation: number[]][] }[];
  texts: string[];
  sizes: Record<string, number>;
  raw: Record<string, { special: number[]; plain: number[] }[]>;
};

export const folderOf = (name: string): string => join(fixtures, "tokenizers", name);

/** What the tests change in tokenizer.json and tokenizer_config.json. */
export interface Changeable {
  model: { vocab: Record<string, unknown>; merges: (string | string[])[] };
  added_tokens: { id: unknown; content: string }[];
  normalizer: unknown;
  pre_tokenizer: unknown;
  post_processor: unknown;
  padding: unknown;
  bos_token: unknown;
  eos_token: unknown;
  chat_template: unknown;
}

/** A copy of a fixture with one of its files changed. */
export async function altered(name: string, file: string, change: (json: Changeable) => void): Promise<string> {
  const copy = await temporaryFolder();
  await cp(folderOf(name), copy, { recursive: true });
  const json = JSON.parse(await readFile(join(copy, file), "utf8"));
  change(json);
  await writeFile(join(copy, file), JSON.stringify(json));
  return copy;
}
