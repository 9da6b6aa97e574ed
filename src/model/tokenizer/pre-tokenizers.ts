/**
 * The pre-tokenizers of tokenizer.json in terms that the library takes as Hugging Face's `tokenizers` (Rust) does. Its own
 * classes know ASCII words and digits, JavaScript's white space and one way of splitting; its patterns know them all.
 */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";

/** What Rust's `\w` and `is_punctuation` hold, in a class of a pattern. */
export const word = String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}`;
const punctuation = String.raw`\p{P}!-/:-@\[-\x60{-~`;
const gpt2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+`;

/** Matches a whole text, with a space in front or without one; `$1` and `$2` are JavaScript's. */
const spaceInFront = { type: "Replace", pattern: { Regex: String.raw` ([\s\S]*)|([\s\S]+)` }, content: " $1$2" };

/** Patterns for the pieces of a text that is split at each character of a class. */
const ways: Readonly<Record<string, (characters: string) => string>> = {
  Removed: (c) => `[^${c}]+`,
  Isolated: (c) => `[${c}]|[^${c}]+`,
  Contiguous: (c) => `[${c}]+|[^${c}]+`,
  MergedWithPrevious: (c) => `[^${c}]*[${c}]|[^${c}]+`,
  MergedWithNext: (c) => `[${c}][^${c}]*|[^${c}]+`,
};

const kinds: Readonly<Record<string, (fields: JsonObject) => readonly JsonObject[]>> = {
  Sequence: ({ pretokenizers }) => (Array.isArray(pretokenizers) ? pretokenizers : [undefined]).flatMap(stepsOf),
  ByteLevel: ({ add_prefix_space, use_regex = true }) => [
    ...(add_prefix_space === true ? [spaceInFront] : []),
    ...(use_regex === true ? [piecesOf(gpt2)] : []),
    { type: "ByteLevel", add_prefix_space: false, use_regex: false },
  ],
  Metaspace: ({ replacement, prepend_scheme = "always", split = true }) => {
    if (!isCharacter(replacement)) throw fault(`expected one character as a replacement, found ${show(replacement)}`);
    const step = { type: "Metaspace", replacement, prepend_scheme };
    return split === true ? [step, splitAt(literal(replacement), "MergedWithNext")] : [step];
  },
  Whitespace: () => [piecesOf(String.raw`[${word}]+|[^${word}\s]+`)],
  WhitespaceSplit: () => [piecesOf(String.raw`\S+`)],
  BertPreTokenizer: () => [piecesOf(String.raw`[${punctuation}]|[^${punctuation}\s]+`)],
  Punctuation: ({ behavior = "Isolated" }) => [splitAt(punctuation, behavior)],
  Digits: ({ individual_digits }) => [
    splitAt(String.raw`\p{N}`, individual_digits === true ? "Isolated" : "Contiguous"),
  ],
  FixedLength: ({ length = 5 }) => {
    if (!Number.isSafeInteger(length) || Number(length) < 1)
      throw fault(`expected a length above 0, found ${show(length)}`);
    return [piecesOf(String.raw`[\s\S]{1,${Number(length)}}`)];
  },
  Split: (fields) => [splitStep(fields)],
};

/** What the library is given for a pre-tokenizer; throws an Error that names what it would do otherwise than Rust. */
export function preTokenizerForLibrary(preTokenizer: unknown): JsonObject | null {
  if (preTokenizer === null || preTokenizer === undefined) return null;
  const steps = stepsOf(preTokenizer);
  // The library would prepend to the first of many pieces, and to all others.
  if (steps.slice(1).some(({ type, prepend_scheme }) => type === "Metaspace" && prepend_scheme === "first"))
    throw fault("Metaspace with the prepend_scheme first behind another step");
  return { type: "Sequence", pretokenizers: steps };
}

function stepsOf(preTokenizer: unknown): readonly JsonObject[] {
  const type = isJsonObject(preTokenizer) ? preTokenizer["type"] : undefined;
  const steps = typeof type === "string" && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (!steps) throw fault(`the type ${show(type)}`);
  return steps(preTokenizer as JsonObject);
}

function splitStep({ pattern, behavior, invert }: JsonObject): JsonObject {
  const { String: text, Regex: regex } = isJsonObject(pattern) ? pattern : {};
  const source = typeof text === "string" ? literal(text) : regex;
  if (typeof source !== "string") throw fault(`Split with the pattern ${show(pattern)}`);
  // It leaves nothing between its matches.
  if (behavior === "Isolated" && source === gpt2) return piecesOf(gpt2);
  if (behavior === "Isolated") return { type: "Split", pattern: { Regex: source }, behavior, invert: false };
  if (behavior === "Removed" && invert === true) return piecesOf(source);
  if (isCharacter(text) && invert !== true) return splitAt(source, behavior);
  // A captured part would come back as a piece.
  const captures = /\((?!\?)|\(\?<(?![=!])/.test(source.replace(/\\./gsu, ""));
  if (behavior === "Removed" && !captures)
    return { type: "Split", pattern: { Regex: source }, behavior, invert: false };
  const what = behavior === "Removed" ? "at a pattern with groups that capture" : `at ${show(text ?? regex)}`;
  throw fault(`Split with the behavior ${show(behavior)}${invert === true ? ", inverted," : ""} ${what}`);
}

function splitAt(characters: string, behavior: unknown): JsonObject {
  const way = typeof behavior === "string" && Object.hasOwn(ways, behavior) ? ways[behavior] : undefined;
  if (!way) throw fault(`the behavior ${show(behavior)}`);
  return piecesOf(way(characters));
}

/** The matches of a pattern, and nothing of what is between them. */
function piecesOf(regex: string): JsonObject {
  return { type: "Split", pattern: { Regex: regex }, behavior: "Removed", invert: true };
}

/** A text as a pattern, which may stand in a class. */
function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}

function isCharacter(value: unknown): value is string {
  return typeof value === "string" && Array.from(value).length === 1;
}

function fault(what: string): Error {
  return new Error(`pre_tokenizer: ${what}; use another tokenizer`);
}
