/** Token ids as text, as Hugging Face's Rust library decodes them and transformers 5 asks it to. */
import { isJsonObject, type JsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { idsOf } from "./added-tokens.ts";
import { byteOfCharacter } from "./byte-alphabet.ts";
import type { LoadedTokenizer } from "./loaded-tokenizer.ts";
import type { TokenizerFiles } from "./tokenizer-file.ts";

/** One of a decoder's steps: tokens in, tokens out; what is left at the end is joined. */
type DecoderStep = (tokens: readonly string[]) => readonly string[];

export class TokenDecoder {
  readonly #tokens = new Map<number, string>();
  readonly #special: ReadonlySet<string>;
  readonly #step: DecoderStep;
  readonly #cleansUp: boolean;

  /** Throws an Error that says what the files have that cannot be used. */
  constructor({ file }: LoadedTokenizer, { config }: Pick<TokenizerFiles, "config">) {
    for (const [token, id] of idsOf(file.model.vocab)) this.#tokens.set(id, token);
    for (const { content, id } of file.added_tokens) this.#tokens.set(Number(id), content);
    const special = file.added_tokens.filter(({ special }) => special === true).map(({ content }) => content);
    this.#special = new Set(special);
    const decoder = file["decoder"] ?? null;
    this.#step = decoder === null ? (tokens) => [tokens.join(" ")] : stepOf(decoder);
    // transformers does not where texts are made of byte pairs, which have their spaces.
    this.#cleansUp = config["clean_up_tokenization_spaces"] === true && file.model["type"] !== "BPE";
  }

  /** The text of ids, without special tokens; ids of no token have none. */
  decode(ids: readonly number[]): string {
    const tokens = ids.flatMap((id) => this.#tokens.get(id) ?? []).filter((token) => !this.#special.has(token));
    const text = this.#step(tokens).join("");
    return this.#cleansUp ? cleanedUp(text) : text;
  }
}

function stepOf(decoder: unknown): DecoderStep {
  const settings = isJsonObject(decoder) ? decoder : {};
  const { type } = settings;
  const make = typeof type === "string" && Object.hasOwn(steps, type) ? steps[type] : undefined;
  if (!make) throw new Error(`its decoder ${show(type)} is not known here`);
  return make(settings);
}

const steps: Readonly<Record<string, (settings: JsonObject) => DecoderStep>> = {
  Sequence: ({ decoders }) => {
    const all = (Array.isArray(decoders) ? decoders : []).map(stepOf);
    return (tokens) => all.reduce((done, step) => step(done), tokens);
  },
  ByteLevel: () => (tokens) => [textOf(tokens.flatMap(bytesOfPiece))],
  ByteFallback: () => withBytes,
  Fuse: () => (tokens) => [tokens.join("")],
  Replace: ({ pattern, content }) => {
    const from = isJsonObject(pattern) ? pattern["String"] : undefined;
    if (typeof from !== "string" || typeof content !== "string")
      throw new Error("its decoder replaces more than one text by another");
    return (tokens) => tokens.map((token) => token.replaceAll(from, () => content));
  },
  Strip: ({ content, start, stop }) => {
    const [first, last] = [Number(start ?? 0), Number(stop ?? 0)];
    return (tokens) => tokens.map((token) => stripped(Array.from(token), String(content), first, last));
  },
  Metaspace: ({ replacement = "▁", prepend_scheme, add_prefix_space }) => {
    const keepsFirst = prepend_scheme === "never" || (prepend_scheme === undefined && add_prefix_space === false);
    const spaced = (i: number): string => (i === 0 && !keepsFirst ? "" : " ");
    return (tokens) => tokens.map((token, i) => token.replaceAll(String(replacement), spaced(i)));
  },
};

/** The bytes that the characters of a piece stand for; where one stands for none, those of the piece itself. */
function bytesOfPiece(piece: string): readonly number[] {
  const bytes = Array.from(piece, (character) => byteOfCharacter.get(character));
  return bytes.every((byte) => byte !== undefined) ? bytes : [...Buffer.from(piece)];
}

/** Runs of tokens such as `<0xE2>` as the text that they are in UTF-8, or one replacement character for each of them. */
function withBytes(tokens: readonly string[]): readonly string[] {
  const decoded: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    const text = textOf(bytes);
    const isText = Buffer.from(text).equals(Buffer.from(bytes));
    decoded.push(...(isText ? [text] : bytes.map(() => "\uFFFD")));
    bytes = [];
  };
  for (const token of tokens) {
    const digits = /^<0x([0-9A-Fa-f]{2})>$/.exec(token)?.[1];
    if (digits !== undefined) {
      bytes.push(Number.parseInt(digits, 16));
      continue;
    }
    flush();
    decoded.push(token);
  }
  flush();
  return decoded;
}

function textOf(bytes: readonly number[]): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

/** Without up to so many of a character at the beginning, and at the end. */
function stripped(characters: readonly string[], content: string, first: number, last: number): string {
  let [start, end] = [0, characters.length];
  while (start < first && characters[start] === content) start += 1;
  while (characters.length - end < last && end > start && characters[end - 1] === content) end -= 1;
  return characters.slice(start, end).join("");
}

/** transformers' `clean_up_tokenization`. */
function cleanedUp(text: string): string {
  const joined = [".", "?", "!", ","].reduce((done, mark) => done.replaceAll(` ${mark}`, mark), text);
  const quoted = joined.replaceAll(" ' ", "'");
  return ["n't", "'m", "'s", "'ve", "'re"].reduce((done, end) => done.replaceAll(` ${end}`, end), quoted);
}
