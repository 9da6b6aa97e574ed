import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadedTokenizer } from "../../../src/model/tokenizer/loaded-tokenizer.ts";
import { TokenDecoder } from "../../../src/model/tokenizer/token-decoder.ts";
import { readTokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { changedFolder, type Change } from "./tokenizer-folders.ts";

interface Case {
  readonly folder: string;
  readonly changes: readonly Change[];
  readonly ids: readonly (readonly number[])[];
  readonly texts: readonly string[];
}

/** Texts of transformers (test/fixtures/model/make-decodings.py). */
const cases = JSON.parse(
  readFileSync(join(import.meta.dirname, "..", "..", "fixtures", "model", "decodings.json"), "utf8"),
) as readonly Case[];

async function decoderOf(folder: string, changes: readonly Change[]): Promise<TokenDecoder> {
  const files = await readTokenizerFiles(await changedFolder(folder, changes));
  return new TokenDecoder(loadedTokenizer(files), files);
}

describe("TokenDecoder", () => {
  test.each(cases.map((each) => [`${each.folder} ${JSON.stringify(each.changes).slice(0, 160)}`, each] as const))(
    "gives the texts of transformers: %s",
    async (_, { folder, changes, ids, texts }) => {
      const decoder = await decoderOf(folder, changes);
      expect(ids.map((own) => decoder.decode(own))).toEqual(texts);
    },
  );

  test("gives no text for ids of no token, and none for no ids", async () => {
    const decoder = await decoderOf("byte-level", []);
    expect([decoder.decode([1_000_000]), decoder.decode([])]).toEqual(["", ""]);
  });

  test.each([{ type: "WordPiece" }, { type: "__proto__" }, { type: 3 }, "ByteLevel"])(
    "refuses a decoder that is not known: %j",
    async (decoder) => {
      const changes: Change[] = [
        ["tokenizer_config.json", "tokenizer_class", "PreTrainedTokenizerFast"],
        ["tokenizer.json", "decoder", decoder],
      ];
      await expect(decoderOf("byte-level", changes)).rejects.toThrow("is not known here");
    },
  );
});
