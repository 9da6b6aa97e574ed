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

/** File, path in it (of names divided by dots in tokenizer.json and config.json) and the value there; none removes it. */
export type Change = readonly [file: string, path: string] | readonly [file: string, path: string, value: unknown];

/** A copy of a fixture under a config.json of a Llama, with changes in any of its files. */
export async function changedFolder(name: string, changes: readonly Change[]): Promise<string> {
  const copy = await temporaryFolder();
  const files: Record<string, Record<string, unknown>> = { "config.json": { model_type: "llama" } };
  for (const file of ["tokenizer.json", "tokenizer_config.json"])
    files[file] = JSON.parse(await readFile(join(folderOf(name), file), "utf8"));
  for (const [file, path, ...value] of changes) {
    const parts = file === "tokenizer.json" ? path.split(".") : [path];
    let at = (files[file] ??= {});
    for (const part of parts.slice(0, -1)) at = at[part] as Record<string, unknown>;
    if (value.length === 0) delete at[parts.at(-1)!];
    else at[parts.at(-1)!] = value[0];
  }
  for (const [file, content] of Object.entries(files)) await writeFile(join(copy, file), JSON.stringify(content));
  return copy;
}
