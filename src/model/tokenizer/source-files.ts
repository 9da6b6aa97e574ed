/** The files of a tokenizer that is made of several folders. */
import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { readTextWithin } from "../../files/read-file.ts";
import { findTemplate } from "./chat/chat-template.ts";
import type { ModelTokens, TokenizerSource } from "./protocol.ts";
import { readTokenizerFiles, TOKENIZER_BYTES, TOKENIZER_FILE, type TokenizerFiles } from "./tokenizer-file.ts";
import { type EmbeddedTokenizer, unitedTexts, uniteTokenizers, type WithTemplate } from "./unite-tokenizers.ts";
import { checkIds } from "./vocabulary.ts";

/** A UserError where a folder has none, or the tokens of all cannot be in one. */
export async function sourceFiles({ folder, more = [] }: TokenizerSource): Promise<TokenizerFiles> {
  if (more.length === 0) return readTokenizerFiles(folder);
  const others: EmbeddedTokenizer[] = [];
  for (const other of more) others.push(await embedded(other));
  const united = uniteTokenizers(await withTemplate(folder), others);
  try {
    checkIds(united.file);
  } catch (error) {
    throw new UserError(
      `${join(folder, TOKENIZER_FILE)}: has no place for more tokens behind its own: ${(error as Error).message}; use the tokenizer of one model`,
      { cause: error },
    );
  }
  return united;
}

/** The texts of those files that are not the first folder's own, by name. */
export async function sourceTexts(source: TokenizerSource): Promise<ReadonlyMap<string, string>> {
  const { folder, more = [] } = source;
  if (more.length === 0) return new Map();
  const base = await readTokenizerFiles(folder);
  const names = [TOKENIZER_FILE, "tokenizer_config.json", ...(base.addedTokens ? ["added_tokens.json"] : [])];
  const texts = new Map<string, string>();
  for (const name of names)
    texts.set(name, await readTextWithin(join(folder, name), { what: "a JSON object", maxBytes: TOKENIZER_BYTES }));
  return unitedTexts(base, await sourceFiles(source), texts);
}

async function withTemplate(folder: string): Promise<WithTemplate> {
  const files = await readTokenizerFiles(folder);
  return { files, template: await findTemplate(folder, files.config) };
}

async function embedded({ folder, rows }: ModelTokens): Promise<EmbeddedTokenizer> {
  const found = await withTemplate(folder);
  checkIds(found.files.file);
  return { ...found, rows };
}
