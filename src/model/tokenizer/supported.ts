/** Settings of tokenizer.json that the library passes over in silence, and that Hugging Face's `tokenizers` heeds. */
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

/** Of byte-pair encoding: none changes anything where it is absent, 0 or empty. */
const settings = ["dropout", "continuing_subword_prefix", "end_of_word_suffix"];

/** Throws an Error that names the first such setting. */
export function checkSupported({ model, added_tokens: added }: TokenizerFile): void {
  const setting = model["type"] === "WordPiece" ? undefined : settings.find((name) => Boolean(model[name]));
  if (setting !== undefined) throw new Error(`model: ${setting} is not supported; use another tokenizer`);
  const alone = added.find((token) => Boolean(token["single_word"]));
  if (!alone) return;
  throw new Error(`the added token ${show(alone.content)}: single_word is not supported; use another tokenizer`);
}
