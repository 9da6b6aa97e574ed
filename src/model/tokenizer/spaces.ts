import type { JsonObject } from "../../files/json-object.ts";
import { preTokenizerForLibrary } from "./pre-tokenizers.ts";

/**
 * Where a vocabulary of SentencePiece gets a space that is not in the text: before each part of it between special tokens
 * ("each"), the same but not where it begins with a space ("always"), only before the first part ("first"), or nowhere.
 */
export type SpaceScheme = "each" | "always" | "first" | "never";

const SPACE = "▁";
const prepended = JSON.stringify({ type: "Prepend", prepend: SPACE });
const replaced = JSON.stringify({ type: "Replace", pattern: { String: " " }, content: SPACE });
/** Gemma's, which finds no space any more. */
const idle = preTokenizerForLibrary({ type: "Split", pattern: { String: " " }, behavior: "MergedWithPrevious" });

/**
 * The scheme of a normalizer and a pre-tokenizer, as steps for the library, that do nothing else; undefined otherwise. The
 * files of one model, of different age, have it in either.
 */
export function spacesOf(
  normalizer: readonly JsonObject[],
  preTokenizer: readonly JsonObject[],
): SpaceScheme | undefined {
  const steps = normalizer.map((step) => JSON.stringify(step)).toSorted();
  if (steps.length > 0) {
    if (preTokenizer.length > 0 && JSON.stringify(preTokenizer) !== JSON.stringify(idle?.["pretokenizers"]))
      return undefined;
    if (steps.length === 1 && steps[0] === replaced) return "never";
    return steps.length === 2 && steps[0] === prepended && steps[1] === replaced ? "each" : undefined;
  }
  const [step] = preTokenizer;
  if (preTokenizer.length !== 1 || step?.["type"] !== "Metaspace" || step["replacement"] !== SPACE) return undefined;
  const scheme = step["prepend_scheme"];
  return scheme === "always" || scheme === "first" || scheme === "never" ? scheme : undefined;
}
