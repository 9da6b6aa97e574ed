import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { altered, type Changeable } from "./tokenizer-folders.ts";

interface Case {
  readonly preTokenizer: unknown;
  readonly pieces: readonly (readonly string[])[];
}

/** Pieces as the Rust library makes them. */
const { texts, cases }: { texts: readonly string[]; cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "pre-tokenizers.json"), "utf8"),
);

async function encoderWith(preTokenizer: unknown, change?: (json: Changeable) => void): Promise<TokenEncoder> {
  const folder = await altered("byte-level", "tokenizer.json", (json) => {
    json.pre_tokenizer = preTokenizer;
    change?.(json);
  });
  return new TokenEncoder(await readTokenizerFiles(folder));
}

test.each(cases.map((each) => [JSON.stringify(each.preTokenizer), each] as const))(
  "%s divides texts as the Rust library does",
  async (_, { preTokenizer, pieces }) => {
    // Every piece is a token, so that ids tell the pieces.
    const known = [...new Set(["<unk>", "<s>", "</s>", ...pieces.flat()])];
    const vocab = Object.fromEntries(known.map((piece, id) => [piece, id]));
    const encoder = await encoderWith(preTokenizer, (json) => {
      json.model = { type: "WordLevel", vocab, unk_token: "<unk>" } as unknown as Changeable["model"];
    });
    texts.forEach((text, i) => {
      expect(
        Array.from(encoder.encode(text), (id) => known[id]),
        text,
      ).toEqual(pieces[i]);
    });
  },
);

describe("refuses what the library takes otherwise than Rust:", () => {
  const dashes = { Regex: "-+" };
  test.each<[unknown, string]>([
    [
      { type: "Split", pattern: dashes, behavior: "Contiguous", invert: false },
      "Split with the behavior 'Contiguous' at '-+'",
    ],
    [
      { type: "Split", pattern: dashes, behavior: "MergedWithNext", invert: true },
      "Split with the behavior 'MergedWithNext', inverted, at '-+'",
    ],
    [
      { type: "Split", pattern: { Regex: "(-)+" }, behavior: "Removed", invert: false },
      "Split with the behavior 'Removed' at a pattern with groups that capture",
    ],
    [{ type: "Split", pattern: {}, behavior: "Removed" }, "Split with the pattern {}"],
    [{ type: "Punctuation", behavior: "Merged" }, "the behavior 'Merged'"],
    [{ type: "UnicodeScripts" }, "the type 'UnicodeScripts'"],
    [{ type: "Sequence", pretokenizers: [null] }, "the type undefined"],
    [{ type: "FixedLength", length: 0 }, "expected a length above 0, found 0"],
    [{ type: "Metaspace", replacement: "" }, "expected one character as a replacement, found ''"],
    [
      {
        type: "Sequence",
        pretokenizers: [
          { type: "WhitespaceSplit" },
          { type: "Metaspace", replacement: "_", prepend_scheme: "first", split: false },
        ],
      },
      "Metaspace with the prepend_scheme first behind another step",
    ],
  ])("%j", async (preTokenizer, what) => {
    await expect(encoderWith(preTokenizer)).rejects.toThrow(`pre_tokenizer: ${what}; use another tokenizer`);
  });

  test.each<[string, (json: Changeable) => void, string]>([
    [
      "a normalizer that may leave out the beginning where only the beginning of a text is prefixed",
      (json) => {
        const replaced = { type: "Replace", pattern: { String: " " }, content: "_" };
        json.normalizer = { type: "Sequence", normalizers: [replaced, { type: "Strip", strip_left: true }] };
        json.pre_tokenizer = { type: "Metaspace", replacement: "_", prepend_scheme: "first", split: false };
      },
      "normalizer: 'Strip' beside the prepend_scheme first is not supported; use another tokenizer",
    ],
    [
      "a replacement of more than a character there",
      (json) => {
        json.normalizer = { type: "Replace", pattern: { Regex: "^x+" }, content: "y" };
        json.pre_tokenizer = { type: "Metaspace", replacement: "_", prepend_scheme: "first", split: false };
      },
      "normalizer: 'Replace' beside the prepend_scheme first is not supported; use another tokenizer",
    ],
    [
      "an added token that is normalized where only the beginning of a text is prefixed",
      (json) => {
        json.normalizer = { type: "NFC" };
        json.pre_tokenizer = { type: "Metaspace", replacement: "_", prepend_scheme: "first", split: false };
        json.added_tokens = json.added_tokens.map((token) => ({ ...token, normalized: token.content === "<s>" }));
      },
      "the added token '<s>': normalized beside the prepend_scheme first is not supported; use another tokenizer",
    ],
    [
      "ends of words",
      ({ model }) => Object.assign(model, { end_of_word_suffix: "</w>" }),
      "model: end_of_word_suffix is not supported; use another tokenizer",
    ],
    [
      "insides of words",
      ({ model }) => Object.assign(model, { continuing_subword_prefix: "##" }),
      "model: continuing_subword_prefix is not supported; use another tokenizer",
    ],
    [
      "merges left out by chance",
      ({ model }) => Object.assign(model, { dropout: 0.1 }),
      "model: dropout is not supported; use another tokenizer",
    ],
  ])("%s", async (_, change, sentence) => {
    await expect(encoderWith(null, change)).rejects.toThrow(sentence);
  });
});
