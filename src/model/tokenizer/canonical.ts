/** A tokenizer in the one form that all its spellings have: what decides ids, and nothing else. */
import { createHash } from "node:crypto";
import { type JsonObject } from "../../files/json-object.ts";
import { idsOf } from "./added-tokens.ts";
import { fallbackBytes } from "./byte-alphabet.ts";
import { isByteLevel, knowsAll } from "./known-characters.ts";
import type { LoadedTokenizer } from "./loaded-tokenizer.ts";
import { normalizerForLibrary } from "./normalizers.ts";
import { addedAround, type Added } from "./post-processors.ts";
import { preTokenizerForLibrary } from "./pre-tokenizers.ts";
import { type SpaceScheme, spacesOf } from "./spaces.ts";
import { type AddedToken, withFlags } from "./special-tokens.ts";

export interface CanonicalTokenizer {
  /** Ids by token, added ones among them. */
  readonly tokens: ReadonlyMap<string, number>;
  /** Flags of the tokens that are found in a text before anything else is done with it. */
  readonly added: ReadonlyMap<string, string>;
  /** Each as JSON of its parts. */
  readonly merges: readonly string[];
  /** Settings that are neither the usual ones nor without effect. */
  readonly model: JsonObject;
  /** Whether characters without a token are left out of a text; follows from the others. */
  readonly passesOver: boolean;
  /** How SentencePiece's spaces are written; then there is neither normalizer nor pre-tokenizer. */
  readonly spaces: SpaceScheme | undefined;
  readonly normalizer: readonly JsonObject[];
  readonly preTokenizer: readonly JsonObject[];
  readonly postProcessor: readonly Added[];
  /** The id that stands for an absent context. */
  readonly prefix: number | undefined;
}

/** Throws an Error for what the files have that no tokenizer can have. */
export function canonicalTokenizer({ file, hidesSpecial, prefix }: LoadedTokenizer): CanonicalTokenizer {
  const normalizer = stepsIn(normalizerForLibrary(file["normalizer"]), "normalizers");
  const preTokenizer = stepsIn(preTokenizerForLibrary(file["pre_tokenizer"]), "pretokenizers");
  const spaces = spacesOf(normalizer, preTokenizer);
  const tokens = idsOf(file.model.vocab);
  const settings = settingsOf(file.model, tokens, preTokenizer);
  const isNormalized = ({ content }: AddedToken): boolean =>
    normalizer.length > 0 && (spaces !== "never" || content.includes(" "));
  for (const { content, id } of file.added_tokens) tokens.set(content, id as number);
  return {
    tokens,
    added: flagsOf(file.added_tokens.map(withFlags), isNormalized, hidesSpecial),
    merges: mergesOf(file.model.merges),
    ...settings,
    spaces,
    normalizer: spaces === undefined ? normalizer : [],
    preTokenizer: spaces === undefined ? preTokenizer : [],
    postProcessor: addedAround(file["post_processor"]),
    prefix: prefix?.id,
  };
}

/** Hash of a canonical tokenizer: those of equal digest give the same ids. */
export function digestOf(canonical: CanonicalTokenizer): string {
  const { tokens, added, merges, ...rest } = canonical;
  const hash = createHash("sha256");
  for (const part of [sorted(tokens), sorted(added), merges, Object.entries(rest)]) hash.update(JSON.stringify(part));
  return hash.digest("hex");
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function stepsIn(sequence: JsonObject | null, key: string): readonly JsonObject[] {
  return (sequence?.[key] ?? []) as readonly JsonObject[];
}

/** What differs from the defaults and can matter, in the order of names. */
function settingsOf(
  { vocab, ...model }: JsonObject,
  tokens: ReadonlyMap<string, number>,
  preTokenizer: readonly JsonObject[],
): Pick<CanonicalTokenizer, "model" | "passesOver"> {
  const { type = "BPE" } = model;
  // Scores of pieces are settings too.
  if (type !== "BPE") return { model: { ...model, ...(Array.isArray(vocab) && { vocab }) }, passesOver: false };
  const fallsBack = !isByteLevel(preTokenizer) && model["byte_fallback"] === true;
  // Where every character has tokens, none is unknown.
  const isKnown = knowsAll({ ...model, vocab }, preTokenizer);
  const unknown = isKnown ? null : (model["unk_token"] ?? null);
  const settings = {
    ...model,
    unk_token: unknown,
    fuse_unk: unknown !== null && model["fuse_unk"] === true,
    byte_fallback: fallsBack && fallbackBytes.some((token) => tokens.has(token)),
  };
  const entries = Object.entries(settings).filter(
    ([name, value]) => Boolean(value) && name !== "type" && name !== "merges",
  );
  const sortedEntries = entries.toSorted(([a], [b]) => (a < b ? -1 : 1));
  return { model: Object.fromEntries(sortedEntries), passesOver: !isKnown && unknown === null };
}

function mergesOf(merges: unknown): string[] {
  const list = Array.isArray(merges) ? (merges as (string | string[])[]) : [];
  // Files of different age write the same merge as "a b" or ["a", "b"].
  return list.map((merge) => JSON.stringify(typeof merge === "string" ? merge.split(" ", 2) : merge));
}

/** The flags that can matter, by token. */
function flagsOf(
  tokens: readonly AddedToken[],
  isNormalized: (token: AddedToken) => boolean,
  hidesSpecial: boolean,
): ReadonlyMap<string, string> {
  const isMixed = new Set(tokens.map(({ normalized }) => normalized)).size > 1 && tokens.some(overlapsAnother);
  return new Map(
    tokens.map((token) => {
      const flags = (["lstrip", "rstrip", "single_word"] as const).filter((name) => token[name]);
      // Texts are searched for tokens that are not normalized first.
      const isSecond = token.normalized && (isMixed || isNormalized(token));
      const more = [
        ...(isSecond ? ["normalized"] : []),
        ...(hidesSpecial && token.special ? ["split_special_tokens"] : []),
      ];
      return [token.content, [...flags, ...more].join(", ")];
    }),
  );
}

/** Whether a text may hold the token and another one in one place. */
function overlapsAnother({ content, lstrip, rstrip }: AddedToken, index: number, all: readonly AddedToken[]): boolean {
  if (lstrip || rstrip) return true;
  return all.some((other, i) => i !== index && (other.content.includes(content) || meets(content, other.content)));
}

function meets(before: string, behind: string): boolean {
  for (let length = Math.min(before.length, behind.length); length > 0; length -= 1)
    if (before.endsWith(behind.slice(0, length))) return true;
  return false;
}
