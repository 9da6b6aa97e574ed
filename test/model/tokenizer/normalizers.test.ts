import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { TokenEncoder } from "../../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { altered, type Changeable } from "./tokenizer-folders.ts";

interface Case {
  readonly normalizer: unknown;
  readonly normalized: readonly string[];
}

/** Texts as the Rust library normalizes them. */
const { texts, cases }: { texts: readonly string[]; cases: readonly Case[] } = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "normalizers.json"), "utf8"),
);

test.each(cases.map((each) => [JSON.stringify(each.normalizer), each] as const))(
  "%s makes of texts what the Rust library does",
  async (_, { normalizer, normalized }) => {
    // Every normalized text is a token, so that ids tell the texts.
    const known = [...new Set(["<unk>", "<s>", "</s>", ...normalized])];
    const vocab = Object.fromEntries(known.map((text, id) => [text, id]));
    const folder = await altered("byte-level", "tokenizer.json", (json) => {
      json.normalizer = normalizer;
      json.pre_tokenizer = null;
      json.model = { type: "WordLevel", vocab, unk_token: "<unk>" } as unknown as Changeable["model"];
    });
    const encoder = new TokenEncoder(await readTokenizerFiles(folder));
    texts.forEach((text, i) => {
      expect(Array.from(encoder.encode(text), (id) => known[id]).join(""), text).toBe(normalized[i]);
    });
  },
);
