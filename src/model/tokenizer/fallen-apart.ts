import { idsOf } from "./added-tokens.ts";
import type { TokenEncoder } from "./token-encoder.ts";

/** Words that are looked for: of a vocabulary's, the longest. */
const WORDS = 64;

/**
 * Throws an Error where none of the words that a vocabulary has is found in a text that has it twice in a row: as if its merges were lost, or its
 * pieces written otherwise than the steps before it leave them. Such a tokenizer gives ids all the same, by which every model
 * scores like chance. A word alone would not tell: with `ignore_merges` it is looked up before anything is merged.
 */
export function checkWhole(encoder: TokenEncoder): void {
  const words = wordsOf(encoder.loaded.file.model.vocab);
  const isWhole = (word: string): boolean =>
    encoder.encode(` ${word}${word}`, { special: false }).length < 2 * word.length;
  if (words.length === 0 || words.some(isWhole)) return;
  throw new Error(
    `it falls apart: the text ${JSON.stringify(words[0])} has a token of its own, and twice in a row it is given none longer than a letter; save the tokenizer anew, with its merges`,
  );
}

/** The longest pieces of ASCII letters, without the mark for a space in front of them. */
function wordsOf(vocabulary: unknown): string[] {
  const found = [...idsOf(vocabulary).keys()].flatMap((piece) => /^[ ▁Ġ]?([A-Za-z]{4,})$/.exec(piece)?.[1] ?? []);
  return found.toSorted((a, b) => b.length - a.length).slice(0, WORDS);
}
