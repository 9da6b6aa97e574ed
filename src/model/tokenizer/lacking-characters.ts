import type { JsonObject } from "../../files/json-object.ts";
import { idsOf } from "./added-tokens.ts";
import { byteLevelAlphabet, fallbackBytes } from "./byte-alphabet.ts";
import { literal } from "./pre-tokenizers.ts";

const LAST_CODE = 0x10ffff;

/** Characters without a token, as a class of a pattern, and whether one is among them. */
interface Lacking {
  readonly characters: string;
  readonly has: (character: string) => boolean;
}

/**
 * A step behind those of a pre-tokenizer, which leaves out what has neither a token nor one for unknown parts. Hugging Face's
 * `tokenizers` (Rust) does it before it merges, the library behind. Undefined where nothing is left out.
 */
export function leavingOut(model: JsonObject, steps: readonly JsonObject[]): JsonObject | undefined {
  const { type = "BPE", vocab, unk_token: unknown, ignore_merges: ignoresMerges } = model;
  const lacking = type === "BPE" && (unknown ?? null) === null ? lackingIn(model, steps) : undefined;
  if (!lacking) return undefined;
  // A piece that is a token may be looked for before anything else.
  const tokens = ignoresMerges === true ? [...idsOf(vocab).keys()] : [];
  const wholes = tokens.filter((token) => Array.from(token).some(lacking.has)).map(literal);
  const Regex =
    wholes.length === 0 ? `()${lacking.characters}` : String.raw`\A(${wholes.join("|")})\z|${lacking.characters}`;
  return { type: "Replace", pattern: { Regex }, content: "$1" };
}

/** Whether a vocabulary for byte-pair encoding has tokens for every character behind the steps of a pre-tokenizer. */
export function knowsAll(model: JsonObject, steps: readonly JsonObject[]): boolean {
  return lackingIn(model, steps) === undefined;
}

export function isByteLevel(steps: readonly JsonObject[]): boolean {
  return steps.at(-1)?.["type"] === "ByteLevel";
}

function lackingIn(model: JsonObject, steps: readonly JsonObject[]): Lacking | undefined {
  const tokens = idsOf(model["vocab"]);
  const without = (alphabet: readonly string[]): string[] => alphabet.filter((token) => !tokens.has(token));
  if (isByteLevel(steps)) return oneOf(without(byteLevelAlphabet));
  const bytes = model["byte_fallback"] === true ? without(fallbackBytes) : fallbackBytes;
  const known = [...tokens.keys()].filter((token) => Array.from(token).length === 1);
  return bytes.length === fallbackBytes.length ? noneOf(known) : withBytes(bytes, new Set(known));
}

function oneOf(characters: readonly string[]): Lacking | undefined {
  const set = new Set(characters);
  return set.size === 0 ? undefined : { characters: classOf("[", set), has: (one) => set.has(one) };
}

function noneOf(characters: readonly string[]): Lacking {
  const set = new Set(characters);
  const all = { characters: String.raw`[\s\S]`, has: () => true };
  return set.size === 0 ? all : { characters: classOf("[^", set), has: (one) => !set.has(one) };
}

function classOf(opening: "[" | "[^", characters: ReadonlySet<string>): string {
  return `${opening}${[...characters].map(literal).join("")}]`;
}

/** The characters, but for the known ones, that one of the bytes is part of: a character falls back where it has all of them. */
function withBytes(bytes: readonly string[], known: ReadonlySet<string>): Lacking | undefined {
  if (bytes.length === 0) return undefined;
  const values = new Set(bytes.map((token) => fallbackBytes.indexOf(token)));
  const encoder = new TextEncoder();
  const has = (one: string): boolean => !known.has(one) && encoder.encode(one).some((byte) => values.has(byte));
  const ranges: [first: number, last: number][] = [];
  for (let code = 0; code <= LAST_CODE; code += 1) {
    // Halves of pairs are no characters.
    if (code === 0xd800) code = 0xe000;
    if (!has(String.fromCodePoint(code))) continue;
    const range = ranges.at(-1);
    if (range?.[1] === code - 1) range[1] = code;
    else ranges.push([code, code]);
  }
  const characters = `[${ranges.map(([first, last]) => `${escaped(first)}-${escaped(last)}`).join("")}]`;
  return ranges.length === 0 ? undefined : { characters, has };
}

function escaped(code: number): string {
  return literal(String.fromCodePoint(code));
}
