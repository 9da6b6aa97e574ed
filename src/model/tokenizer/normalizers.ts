/** The normalizers of tokenizer.json in terms that the library takes as Hugging Face's `tokenizers` (Rust) does. */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";

/** What Rust's BertNormalizer takes for Chinese. */
const chinese = [
  String.raw`\x{4e00}-\x{9fff}\x{3400}-\x{4dbf}\x{20000}-\x{2a6df}\x{2a700}-\x{2b73f}\x{2b740}-\x{2b81f}`,
  String.raw`\x{2b920}-\x{2ceaf}\x{f900}-\x{faff}\x{2f800}-\x{2fa1f}`,
].join("");

/** `$1` is JavaScript's; the patterns that strip match a whole text, so that they take one pass. */
const spaced = replace(`([${chinese}])`, " $1 ");
const strippedLeft = replace(String.raw`\s*([\s\S]*)`, "$1");
const strippedRight = replace(String.raw`([\s\S]*\S)\s*|\s+`, "$1");
/** JavaScript writes another letter where a word ends; Rust looks at one character at a time. */
const sigma = replace("Σ", "σ");

const kinds: Readonly<Record<string, (fields: JsonObject) => readonly JsonObject[]>> = {
  Sequence: ({ normalizers }) => (Array.isArray(normalizers) ? normalizers : [undefined]).flatMap(stepsOf),
  Replace: ({ content, ...fields }) => [
    // In JavaScript a dollar may stand for what was found.
    { ...fields, content: typeof content === "string" ? content.replaceAll("$", "$$$$") : content },
  ],
  Strip: ({ strip_left, strip_right }) => [
    ...(strip_left === true ? [strippedLeft] : []),
    ...(strip_right === true ? [strippedRight] : []),
  ],
  Lowercase: (fields) => [sigma, fields],
  BertNormalizer: ({ clean_text, handle_chinese_chars, lowercase, ...fields }) => [
    { type: "BertNormalizer", clean_text },
    ...(handle_chinese_chars === true ? [spaced] : []),
    ...(lowercase === true ? [sigma] : []),
    { ...fields, lowercase },
  ],
};

/** What the library is given for a normalizer; it refuses the types that it does not know. */
export function normalizerForLibrary(normalizer: unknown): JsonObject | null {
  if (normalizer === null || normalizer === undefined) return null;
  return { type: "Sequence", normalizers: stepsOf(normalizer) };
}

function stepsOf(normalizer: unknown): readonly JsonObject[] {
  if (!isJsonObject(normalizer)) throw new Error(`normalizer: expected an object, found ${show(normalizer)}`);
  const { type } = normalizer;
  const steps = typeof type === "string" && Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  return steps ? steps(normalizer) : [normalizer];
}

function replace(regex: string, content: string): JsonObject {
  return { type: "Replace", pattern: { Regex: regex }, content };
}
