import { isOfTokenizer } from "../model-folder/companion-files.ts";
import { Tokenizer, type TokenizerSource } from "../model/tokenizer/tokenizer.ts";
import { readCompanions } from "./companions.ts";

/**
 * Configuration, tokenizer and licence files of a merge on a base, by name: those that are about tokens are of the model whose
 * tokenizer it is, with the added tokens of others where it has them.
 */
export async function vocabularyFiles(
  base: string,
  tokenizer: TokenizerSource,
  signal?: AbortSignal,
): Promise<Map<string, string | Buffer>> {
  const ofBase = await readCompanions(base);
  if (tokenizer.folder === base && !tokenizer.more) return new Map(ofBase);
  const ofOwner = tokenizer.folder === base ? ofBase : await readCompanions(tokenizer.folder);
  return new Map<string, string | Buffer>([
    ...[...ofBase].filter(([name]) => !isOfTokenizer(name)),
    ...[...ofOwner].filter(([name]) => isOfTokenizer(name)),
    ...(await Tokenizer.write(tokenizer, signal)),
  ]);
}
