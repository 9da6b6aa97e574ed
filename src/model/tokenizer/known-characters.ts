import type { JsonObject } from "../../files/json-object.ts";
import { idsOf } from "./added-tokens.ts";
import { byteLevelAlphabet, fallbackBytes } from "./byte-alphabet.ts";

/** Whether a byte is part of a text in UTF-8. */
const isInTexts = (byte: number): boolean => byte < 0xf5 && byte !== 0xc0 && byte !== 0xc1;

/** Whether a vocabulary for byte-pair encoding has tokens for every character behind the steps of a pre-tokenizer. */
export function knowsAll(model: JsonObject, steps: readonly JsonObject[]): boolean {
  const tokens = idsOf(model["vocab"]);
  if (isByteLevel(steps)) return byteLevelAlphabet.every((letter) => tokens.has(letter));
  // A character of one byte may have a token of its own instead.
  const isKnown = (token: string, byte: number): boolean =>
    !isInTexts(byte) || tokens.has(token) || (byte < 0x80 && tokens.has(String.fromCodePoint(byte)));
  return model["byte_fallback"] === true && fallbackBytes.every(isKnown);
}

export function isByteLevel(steps: readonly JsonObject[]): boolean {
  return steps.at(-1)?.["type"] === "ByteLevel";
}
