import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { byteLevelAlphabet } from "../../../src/model/tokenizer/byte-alphabet.ts";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import type { TokenizerFile } from "../../../src/model/tokenizer/tokenizer-file.ts";

interface Case {
  readonly name: string;
  readonly normalizer: unknown;
  readonly added: TokenizerFile["added_tokens"];
  readonly texts: readonly string[];
  /** None where the library fails. */
  readonly ids: readonly (readonly number[] | null)[];
  /** Where special tokens are text. */
  readonly hidden: readonly (readonly number[] | null)[];
}

/** Ids as the Rust library gives them. */
const cases: readonly Case[] = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "added-tokens.json"), "utf8"),
);

function encoderWith({ normalizer, added }: Pick<Case, "normalizer" | "added">, config: object = {}): TokenEncoder {
  const vocab = Object.fromEntries(byteLevelAlphabet.toSorted().map((letter, id) => [letter, id]));
  const file = {
    normalizer,
    pre_tokenizer: { type: "ByteLevel", add_prefix_space: false },
    post_processor: null,
    model: { type: "BPE", vocab, merges: [] },
    added_tokens: added,
  };
  return new TokenEncoder({ file, config: { ...config } });
}

function idsBy(encoder: TokenEncoder): (text: string) => number[] | null {
  return (text) => {
    try {
      return [...encoder.encode(text)];
    } catch (error) {
      expect((error as Error).message).toMatch(/two added tokens take the same spaces/);
      return null;
    }
  };
}

describe("added tokens are found as the Rust library finds them:", () => {
  test.each(cases.map((each) => [each.name, each] as const))("%s", (_, each) => {
    expect(each.texts.map(idsBy(encoderWith(each)))).toEqual(each.ids);
    expect(each.texts.map(idsBy(encoderWith(each, { split_special_tokens: true })))).toEqual(each.hidden);
  });
});

test("two that are the same once they are normalized are refused", () => {
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: true, special: false };
  const added = ["Yes", "yes"].map((content, i) => ({ id: 256 + i, content, ...flags }));
  expect(() => encoderWith({ normalizer: { type: "Lowercase" }, added })).toThrow(
    "the added tokens 'Yes' and 'yes' are the same once they are normalized, and Hugging Face's library takes either by chance; use another tokenizer",
  );
  expect(encoderWith({ normalizer: { type: "NFC" }, added }).encode("Yes yes")).toEqual(Int32Array.of(256, 220, 257));
});
