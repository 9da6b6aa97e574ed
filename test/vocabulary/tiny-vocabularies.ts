import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { changedFolder, type Change, type Changeable, folderOf } from "../model/tokenizer/tokenizer-folders.ts";
import { type TinyModel, writeTinyModel } from "../tiny-model.ts";

/** That of the base, which has 320 tokens, the first three of them added ones. */
export const KIND = "byte-level-bos";

export interface TinyVocabulary extends Omit<TinyModel, "tokenizer"> {
  /** Tokens to add behind those of the base. */
  readonly added?: readonly string[];
  /** More changes of the tokenizer's files. */
  readonly changes?: readonly Change[];
  /** Rows of embeddings; one for each token unless given. */
  readonly rows?: number;
}

/** Writes a model whose tokenizer has more tokens than the base's, as one that was trained on chats. */
export async function writeTinyVocabulary(
  folder: string,
  { added = [], changes = [], rows, ...model }: TinyVocabulary = {},
): Promise<string> {
  const { added_tokens: own } = JSON.parse(await readFile(join(folderOf(KIND), "tokenizer.json"), "utf8"));
  const tokens = added.map((content, i) => ({ id: 320 + i, content, special: true, normalized: false }));
  const tokenizer = await changedFolder(KIND, [["tokenizer.json", "added_tokens", [...own, ...tokens]], ...changes]);
  const written = await writeTinyModel(folder, {
    ...model,
    tokenizer,
    config: { ...(rows !== undefined && { vocab_size: rows }), ...model.config },
  });
  return written;
}

/** Changes a JSON file. */
export async function editJson(
  path: string,
  change: (json: Changeable & Record<string, unknown>) => void,
): Promise<void> {
  const json = JSON.parse(await readFile(path, "utf8"));
  change(json);
  await writeFile(path, JSON.stringify(json));
}
