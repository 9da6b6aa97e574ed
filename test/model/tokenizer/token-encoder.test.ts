import { describe, expect, test } from "vitest";
import { TokenEncoder, type TokenizerOptions } from "../../../src/model/tokenizer/token-encoder.ts";
import { readTokenizerFiles } from "../../../src/model/tokenizer/tokenizer-file.ts";
import { pairs } from "./rewritten-tokenizers.ts";
import { altered, fixture, folderOf, names } from "./tokenizer-folders.ts";

async function open(folder: string, options: TokenizerOptions = {}): Promise<TokenEncoder> {
  return new TokenEncoder(await readTokenizerFiles(folder), options);
}

describe("TokenEncoder.encode", () => {
  test.each(names)("gives the ids of the Rust library: %s", async (name) => {
    const tokenizer = await open(folderOf(name));
    fixture.texts.forEach((text, i) => {
      expect([...tokenizer.encode(text, { special: false })], text).toEqual(fixture.raw[name]?.[i]?.plain);
      // lm_eval adds no second prefix token to a text that begins with one; Rust alone does.
      if (!text.startsWith("<s>")) expect([...tokenizer.encode(text)], text).toEqual(fixture.raw[name]?.[i]?.special);
    });
  });

  test("leaves out a piece for which there is no token, as Rust does", async () => {
    const path = await altered("byte-level", "tokenizer.json", ({ model }) => {
      delete model.vocab["x"];
      model.merges = pairs(model.merges).filter((merge) => !merge.includes("x"));
    });
    const tokenizer = await open(path);
    expect(tokenizer.encode("axa")).toEqual(tokenizer.encode("aa"));
  });
});

test("refuses merges of what is no token, as Rust does", async () => {
  const path = await altered("byte-level", "tokenizer.json", ({ model }) => {
    model.merges = [["a", "~x"], ...pairs(model.merges)];
  });
  await expect(open(path)).rejects.toThrow("model: merges: expected tokens at 0, found '~x'");
});

describe("takes what the Rust library takes where tokenizer.json says nothing:", () => {
  const text = "<s>the fox</s> x";
  const absent = ["version", "truncation", "padding", "normalizer", "pre_tokenizer", "post_processor", "decoder"];

  test.each(names.flatMap((name) => [...absent, "added_tokens"].map((part) => [name, part] as const)))(
    "%s without %s",
    async (name, part) => {
      const without = await altered(name, "tokenizer.json", (json) => void Reflect.deleteProperty(json, part));
      const empty = await altered(
        name,
        "tokenizer.json",
        (json) => void Reflect.set(json, part, part === "added_tokens" ? [] : null),
      );
      expect((await open(without)).encode(text)).toEqual((await open(empty)).encode(text));
    },
  );

  test.each(names)("%s without the kind of its model", async (name) => {
    const without = await altered(name, "tokenizer.json", ({ model }) => void Reflect.deleteProperty(model, "type"));
    expect((await open(without)).encode(text)).toEqual((await open(folderOf(name))).encode(text));
  });
});

describe("TokenEncoder.encodePair", () => {
  test.each(fixture.encodings)("gives the ids of lm_eval: $tokenizer, addBos $addBos", async (expected) => {
    const options = expected.addBos === null ? {} : { addBos: expected.addBos };
    const tokenizer = await open(folderOf(expected.tokenizer), options);
    const actual = fixture.pairs.map(([context, continuation]) => {
      const pair = tokenizer.encodePair(context, continuation);
      return [[...pair.context], [...pair.continuation]];
    });
    expect(actual).toEqual(expected.ids);
  });

  test("gives the same ids whichever pair came before", async () => {
    const tokenizer = await open(folderOf("byte-level-bos"));
    const first = tokenizer.encodePair("The fox ", "lives");
    tokenizer.encodePair("The", " fox");
    expect(tokenizer.encodePair("The fox", " lives")).toEqual(first);
  });
});
