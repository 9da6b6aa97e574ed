/** Settings of tokenizer.json that are not followed here, and that Hugging Face's `tokenizers` (Rust) heeds. */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { withFlags } from "./special-tokens.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

/** Of byte-pair encoding: none changes anything where it is absent, 0 or empty. */
const settings = ["dropout", "continuing_subword_prefix", "end_of_word_suffix"];

/**
 * Normalizers that may leave out the beginning of a text. Rust puts a space in front of the text's first part only where this
 * holds the first character of all, and counts what was replaced by something else to the end of it.
 */
const leavingOutBeginnings: Readonly<Record<string, (fields: JsonObject) => boolean>> = {
  Strip: ({ strip_left }) => strip_left === true,
  StripAccents: () => true,
  BertNormalizer: () => true,
  Replace: ({ pattern, content }) => {
    const { String: text } = isJsonObject(pattern) ? pattern : {};
    const isOne = typeof text === "string" && Array.from(text).length === 1;
    // What begins with a space gets no other.
    return !(typeof content === "string" && (/^[ ▁]/.test(content) || (isOne && content !== "")));
  },
};

/** Throws an Error that names the first such setting. */
export function checkSupported({
  model,
  normalizer,
  pre_tokenizer: preTokenizer,
  added_tokens: added,
}: TokenizerFile): void {
  const setting = model["type"] === "WordPiece" ? undefined : settings.find((name) => Boolean(model[name]));
  if (setting !== undefined) throw fault(`model: ${setting}`);
  if (!isJsonObject(normalizer) || !prependsToFirst(preTokenizer)) return;
  const step = stepsOf(normalizer, "normalizers").find((fields) => kindOf(fields)?.(fields));
  if (step) throw fault(`normalizer: ${show(step["type"])} beside the prepend_scheme first`);
  // What is behind such a token may be of the text's first character all the same, as the i of a ligature.
  const token = added.find((each) => withFlags(each).normalized);
  if (token) throw fault(`the added token ${show(token.content)}: normalized beside the prepend_scheme first`);
}

function kindOf({ type }: JsonObject): ((fields: JsonObject) => boolean) | undefined {
  return typeof type === "string" && Object.hasOwn(leavingOutBeginnings, type) ? leavingOutBeginnings[type] : undefined;
}

function prependsToFirst(preTokenizer: unknown): boolean {
  return stepsOf(preTokenizer, "pretokenizers").some(({ prepend_scheme: scheme }) => scheme === "first");
}

/** A step, or those that it is a sequence of. */
function stepsOf(step: unknown, key: string): readonly JsonObject[] {
  if (!isJsonObject(step)) return [];
  const { [key]: inner } = step;
  return Array.isArray(inner) ? inner.flatMap((each) => stepsOf(each, key)) : [step];
}

function fault(what: string): Error {
  return new Error(`${what} is not supported; use another tokenizer`);
}
