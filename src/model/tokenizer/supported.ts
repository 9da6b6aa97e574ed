/** Settings of tokenizer.json that the library passes over in silence, and that Hugging Face's `tokenizers` heeds. */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

/** Of byte-pair encoding: none changes anything where it is absent, 0 or empty. */
const settings = ["dropout", "continuing_subword_prefix", "end_of_word_suffix"];

/** Throws an Error that names the first such setting. */
export function checkSupported(file: TokenizerFile): void {
  const { model, added_tokens: added } = file;
  const setting = model["type"] === "WordPiece" ? undefined : settings.find((name) => Boolean(model[name]));
  if (setting !== undefined) throw new Error(`model: ${setting} is not supported; use another tokenizer`);
  for (const token of added) {
    const fault = faultOf(token, file);
    if (fault !== undefined)
      throw new Error(`the added token ${show(token.content)}: ${fault} is not supported; use another tokenizer`);
  }
}

function faultOf(token: JsonObject, { normalizer, pre_tokenizer: preTokenizer }: TokenizerFile): string | undefined {
  if (token["single_word"] === true) return "single_word";
  const isNormalized = token["normalized"] ?? token["special"] !== true;
  // The library would take the texts behind such a token for the first.
  if (isNormalized === false || !isJsonObject(normalizer) || !prependsToFirst(preTokenizer)) return undefined;
  return "normalized beside the prepend_scheme first";
}

function prependsToFirst(preTokenizer: unknown): boolean {
  if (!isJsonObject(preTokenizer)) return false;
  const { prepend_scheme: scheme, pretokenizers } = preTokenizer;
  return scheme === "first" || (Array.isArray(pretokenizers) && pretokenizers.some(prependsToFirst));
}
