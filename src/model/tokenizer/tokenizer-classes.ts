/**
 * The classes of transformers 5 that take a vocabulary and merges from tokenizer.json and nothing else: what is done to a
 * text before is their own, whatever the file says. Every other class reads the file as it is.
 */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import type { TokenDefaults } from "./special-tokens.ts";
import type { TokenizerFile, TokenizerFiles } from "./tokenizer-file.ts";

/** How a class makes a tokenizer. */
export interface TokenizerClass extends TokenDefaults {
  /** Of its model; byte-pair encoding unless given. */
  readonly type?: "Unigram";
  /** Settings of the model; `unk` is the content of the token for unknown parts. */
  readonly model: (unk: string) => JsonObject;
  /** It, or what it is made of in the file's. */
  readonly normalizer: JsonObject | null | ((written: unknown) => JsonObject | null);
  readonly preTokenizer: (config: JsonObject) => JsonObject;
  readonly decoder: (config: JsonObject) => JsonObject;
  /** Where the class has its own: whether texts begin with the beginning-of-sequence token. */
  readonly addsBos?: boolean;
  /** Likewise: whether they end with the end-of-sequence token, and nothing else is added. */
  readonly addsEos?: boolean;
  /** Whether tokens that have an attribute lose the flags that the files give them. */
  readonly resetsFlags?: boolean;
}

const MOST_SENTINELS = 10_000;
const endOfText = "<|endoftext|>";
const fallback = { fuse_unk: true, byte_fallback: true };
const wholeWords = { type: "Metaspace", replacement: "▁", prepend_scheme: "always", split: true };
const qwen2Pattern = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

const classes: Readonly<Record<string, TokenizerClass>> = {
  LlamaTokenizer: {
    named: { unk_token: "<unk>", bos_token: "<s>", eos_token: "</s>" },
    model: () => fallback,
    normalizer: null,
    preTokenizer: ({ add_prefix_space, legacy }) => metaspace(add_prefix_space, legacy === true ? "always" : "first"),
    decoder: ({ add_prefix_space }) => pieces((add_prefix_space ?? true) !== false),
  },
  CodeLlamaTokenizer: {
    named: {
      unk_token: "<unk>",
      bos_token: "<s>",
      eos_token: "</s>",
      prefix_token: "▁<PRE>",
      middle_token: "▁<MID>",
      suffix_token: "▁<SUF>",
      eot_token: "▁<EOT>",
      fill_token: "<FILL_ME>",
    },
    extra: ["▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>", "<FILL_ME>"],
    model: (unk_token) => ({ ...fallback, unk_token }),
    normalizer: null,
    preTokenizer: ({ add_prefix_space }) => metaspace(add_prefix_space, "first"),
    decoder: () => pieces(true),
    addsBos: true,
  },
  GemmaTokenizer: {
    named: {
      unk_token: "<unk>",
      bos_token: "<bos>",
      eos_token: "<eos>",
      pad_token: "<pad>",
      mask_token: "<mask>",
    },
    model: (unk_token) => ({ ...fallback, unk_token }),
    normalizer: { type: "Replace", pattern: { String: " " }, content: "▁" },
    preTokenizer: () => split({ String: " " }, "MergedWithPrevious"),
    decoder: () => pieces(false),
  },
  GPT2Tokenizer: {
    named: { unk_token: endOfText, bos_token: endOfText, eos_token: endOfText },
    model: () => ({}),
    normalizer: null,
    preTokenizer: byteLevel,
    decoder: byteLevel,
  },
  GPTNeoXTokenizer: {
    named: { unk_token: endOfText, bos_token: endOfText, eos_token: endOfText, pad_token: "<|padding|>" },
    model: () => ({}),
    normalizer: { type: "NFC" },
    preTokenizer: byteLevel,
    decoder: byteLevel,
    addsBos: false,
  },
  Qwen2Tokenizer: {
    named: { unk_token: endOfText, eos_token: endOfText, pad_token: endOfText },
    model: () => ({}),
    normalizer: { type: "NFC" },
    preTokenizer: (config) => ({
      type: "Sequence",
      pretokenizers: [split({ Regex: qwen2Pattern }, "Isolated"), { ...byteLevel(config), use_regex: false }],
    }),
    decoder: byteLevel,
    resetsFlags: true,
  },
  T5Tokenizer: {
    type: "Unigram",
    named: { eos_token: "</s>", unk_token: "<unk>", pad_token: "<pad>" },
    extra: sentinels,
    model: () => ({ unk_id: 2, byte_fallback: false }),
    normalizer: compiledMapIn,
    preTokenizer: () => ({
      type: "Sequence",
      pretokenizers: [{ type: "WhitespaceSplit" }, wholeWords],
    }),
    decoder: () => wholeWords,
    addsEos: true,
  },
};

/** By `model_type`: the class of a folder that names none, and whether transformers believes the class that one names. */
const usual: ReadonlyMap<unknown, { readonly name: string; readonly isAlways: boolean }> = new Map([
  ["llama", { name: "", isAlways: false }],
  ["gemma", { name: "GemmaTokenizer", isAlways: false }],
  ["gemma2", { name: "GemmaTokenizer", isAlways: false }],
  ["t5", { name: "T5Tokenizer", isAlways: false }],
  ["qwen2", { name: "Qwen2Tokenizer", isAlways: true }],
]);

/** Names of the class that takes tokenizer.json as it is. */
const plain = new Set(["", "PreTrainedTokenizer", "TokenizersBackend", "PythonBackend", "BloomTokenizer"]);

/** The class that makes the tokenizer of a folder; undefined where tokenizer.json is taken as it is. */
export function classOf(files: TokenizerFiles): TokenizerClass | undefined {
  const { file } = files;
  const name = classNameOf(files);
  // Llama 3 names Llama 2's class in some folders.
  if (name === "LlamaTokenizer" && hasPieces(file) && isByteLevel(file)) return undefined;
  const own = classNamed(name);
  return own && file.model["type"] === kindOf(own) && hasPieces(file) ? own : undefined;
}

function classNamed(name: string): TokenizerClass | undefined {
  return Object.hasOwn(classes, name) ? classes[name] : undefined;
}

function kindOf({ type }: TokenizerClass): string {
  return type ?? "BPE";
}

function hasPieces({ model: { type, vocab } }: TokenizerFile): boolean {
  return type === "Unigram" ? Array.isArray(vocab) : isJsonObject(vocab);
}

/** The class that a folder names, where it is not known what it does with the file. */
export function unknownClass(files: TokenizerFiles): string | undefined {
  const name = classNameOf(files);
  return plain.has(name) || classNamed(name) ? undefined : name;
}

/** The class of a folder, and the kind of model that it makes of every vocabulary, where the file has another. */
export function classOfOtherKind(files: TokenizerFiles): { readonly name: string; readonly kind: string } | undefined {
  const name = classNameOf(files);
  const own = classNamed(name);
  return own && files.file.model["type"] !== kindOf(own) ? { name, kind: kindOf(own) } : undefined;
}

function classNameOf({ config, model = {} }: TokenizerFiles): string {
  // transformers does not believe the class that a Mistral names.
  const { name, isAlways } = usual.get(model["model_type"]) ?? { name: "", isAlways: true };
  if (isAlways) return name;
  const declared = config["tokenizer_class"] ?? model["tokenizer_class"];
  return typeof declared === "string" ? declared.replace(/Fast$/, "") : name;
}

/** What stands for parts that are left out of a text; `extra_ids` says how many there are. */
function sentinels({ extra_ids: count = 100 }: JsonObject): string[] {
  if (!Number.isInteger(count) || Number(count) < 0 || Number(count) > MOST_SENTINELS)
    throw new Error(`extra_ids: expected 0 to ${MOST_SENTINELS}, found ${show(count)}`);
  return Array.from({ length: Number(count) }, (_, i) => `<extra_id_${i}>`);
}

/** The first map of characters that SentencePiece compiled, in a normalizer or one of its steps. */
function compiledMapIn(written: unknown): JsonObject | null {
  if (!isJsonObject(written)) return null;
  const steps: unknown[] = written["type"] === "Sequence" ? (written["normalizers"] as unknown[]) : [written];
  return steps.filter(isJsonObject).find(({ type }) => type === "Precompiled") ?? null;
}

function metaspace(addsPrefix: unknown, scheme: "always" | "first"): JsonObject {
  return {
    type: "Metaspace",
    replacement: "▁",
    prepend_scheme: (addsPrefix ?? true) ? scheme : "never",
    split: false,
  };
}

/** Text of pieces whose spaces are written as `▁`, and of bytes; the space in front may be left out. */
function pieces(leavesOutFirst: boolean): JsonObject {
  const strip = leavesOutFirst ? [{ type: "Strip", content: " ", start: 1, stop: 0 }] : [];
  const spaces = { type: "Replace", pattern: { String: "▁" }, content: " " };
  return { type: "Sequence", decoders: [spaces, { type: "ByteFallback" }, { type: "Fuse" }, ...strip] };
}

function split(pattern: JsonObject, behavior: string): JsonObject {
  return { type: "Split", pattern, behavior, invert: false };
}

function byteLevel({ add_prefix_space }: JsonObject): JsonObject {
  return { type: "ByteLevel", add_prefix_space: add_prefix_space === true, trim_offsets: true, use_regex: true };
}

/** transformers looks for the word anywhere in the file. */
function isByteLevel({ model, ...parts }: TokenizerFile): boolean {
  return JSON.stringify(parts).includes('"ByteLevel"') || Object.hasOwn(model.vocab as JsonObject, "ByteLevel");
}
