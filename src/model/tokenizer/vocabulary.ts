/**
 * The ids of a tokenizer.json, which index the embedding. A file whose ids Hugging Face's `tokenizers` would refuse, or
 * replace by others in silence, does not pass.
 */
import type { z } from "zod";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { isJsonObject } from "../../files/json-object.ts";
import { idsOf } from "./added-tokens.ts";
import type { TokenizerFile } from "./tokenizer-file.ts";

/** Token ids are int32 wherever they go. */
const MAX_ID = 2 ** 31 - 1;
const anId = `a whole number from 0 to ${MAX_ID}`;

/** How far the ids of a tokenizer go. */
export interface IdRange {
  /** One more than the largest id. */
  readonly size: number;
  /** One more than the largest id of a token that is not an added one, which any text may contain. */
  readonly textSize: number;
}

/** Reports a vocabulary that is neither tokens with their ids nor a list of tokens with their scores. */
export function checkPieces({ value, issues }: z.core.ParsePayload): void {
  const report = (message: string): void => void issues.push({ code: "custom", input: undefined, message });
  if (Array.isArray(value)) {
    const bad = value.findIndex((piece) => !isScored(piece));
    if (bad >= 0) report(`expected a token and its score at ${bad}, found ${show(value[bad])}`);
  } else if (isJsonObject(value)) {
    const bad = Object.keys(value).find((token) => !isId(value[token]));
    if (bad !== undefined) report(`expected ${anId} for the token ${show(bad)}, found ${show(value[bad])}`);
  } else if (value !== undefined) {
    report(`expected tokens, found ${show(value)}`);
  }
}

/** Reports merges that are not pairs of texts. */
export function checkMerges({ value, issues }: z.core.ParsePayload): void {
  if (value === undefined || value === null) return;
  const report = (message: string): void => void issues.push({ code: "custom", input: undefined, message });
  if (!Array.isArray(value)) return report(`expected a list, found ${show(value)}`);
  const bad = value.findIndex((merge) => typeof merge !== "string" && !isPair(merge));
  if (bad >= 0) report(`expected two texts at ${bad}, found ${show(value[bad])}`);
}

/**
 * Checks the ids of added tokens and of the post-processor against the vocabulary and tells how far ids go; throws an
 * Error that names the first fault.
 */
export function checkIds(file: TokenizerFile): IdRange {
  const { vocab } = file.model;
  const ids = idsOf(vocab);
  let textSize = 0;
  for (const id of ids.values()) textSize = Math.max(textSize, id + 1);
  let size = textSize;
  const taken = new Set(ids.values());
  for (const { content, id } of file.added_tokens) {
    const what = `the id of the added token ${show(content)}`;
    if (!isId(id)) throw new Error(`${what}: expected ${anId}, found ${show(id)}`);
    const known = ids.get(content);
    // The reference implementation ignores the written id here and counts on there: other ids than the file says.
    if (known !== undefined && known !== id) throw new Error(`${what}: expected ${known} as before, found ${id}`);
    if (known === undefined && taken.has(id)) throw new Error(`${what}: ${id} is the id of another token`);
    ids.set(content, id);
    taken.add(id);
    size = Math.max(size, id + 1);
  }
  checkPostProcessor(file["post_processor"], ids);
  return { size, textSize };
}

/** What a text is refused for where a vocabulary lacks a part of it. */
export function partWithoutToken(): Error {
  return new Error("it has a part for which there is no token, not even one for unknown parts");
}

/** The ids that a post-processor writes for the tokens that it adds must be theirs. */
function checkPostProcessor(processor: unknown, ids: ReadonlyMap<string, number>): void {
  if (!isJsonObject(processor)) return;
  const check = (token: unknown, id: unknown): void => {
    const expected = typeof token === "string" ? ids.get(token) : undefined;
    if (expected !== undefined && expected === id) return;
    throw new Error(`post_processor: expected the token ${show(token)} with its id ${expected}, found ${show(id)}`);
  };
  for (const inner of listOf(processor["processors"])) checkPostProcessor(inner, ids);
  for (const pair of [processor["cls"], processor["sep"]]) if (Array.isArray(pair)) check(pair[0], pair[1]);
  const named = isJsonObject(processor["special_tokens"]) ? processor["special_tokens"] : {};
  for (const piece of [...listOf(processor["single"]), ...listOf(processor["pair"])]) {
    const special = isJsonObject(piece) ? piece["SpecialToken"] : undefined;
    if (!isJsonObject(special)) continue;
    const entry = Object.entries(named).find(([name]) => name === special["id"])?.[1];
    const written = isJsonObject(entry) ? listOf(entry["ids"]) : [];
    check(special["id"], written.length === 1 ? written[0] : written);
  }
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function isId(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MAX_ID;
}

function isScored(piece: unknown): boolean {
  return Array.isArray(piece) && piece.length === 2 && typeof piece[0] === "string" && Number.isFinite(piece[1]);
}

function isPair(merge: unknown): boolean {
  return Array.isArray(merge) && merge.length === 2 && merge.every((part) => typeof part === "string");
}
