import { readFileSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { Tokenizer } from "../../src/model/tokenizer.ts";

const fixtures = new URL("../fixtures/tasks/", import.meta.url).pathname;
const names = ["byte-level", "byte-level-bos", "metaspace-bos"] as const;
const fixture = JSON.parse(readFileSync(join(fixtures, "lm-eval.json"), "utf8")) as {
  pairs: [context: string, continuation: string][];
  encodings: { tokenizer: string; addBos: boolean | null; ids: [context: number[], continuation: number[]][] }[];
  texts: string[];
  sizes: Record<string, number>;
  raw: Record<string, { special: number[]; plain: number[] }[]>;
};

const folderOf = (name: string): string => join(fixtures, "tokenizers", name);
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
});
afterAll(() => rm(folder, { recursive: true }));

/** What the tests change in tokenizer.json and tokenizer_config.json. */
interface Changeable {
  model: { vocab: Record<string, number>; merges: (string | string[])[] };
  added_tokens: { id: number; content: string }[];
  post_processor: unknown;
  padding: unknown;
  bos_token: unknown;
  eos_token: unknown;
  chat_template: unknown;
}

const digestOf = async (path: string): Promise<string> => (await Tokenizer.load(path)).digest;

/** A copy of a fixture with one of its files changed. */
async function altered(name: string, file: string, change: (json: Changeable) => void): Promise<string> {
  const copy = await mkdtemp(join(folder, "copy-"));
  await cp(folderOf(name), copy, { recursive: true });
  const json = JSON.parse(await readFile(join(copy, file), "utf8"));
  change(json);
  await writeFile(join(copy, file), JSON.stringify(json));
  return copy;
}

describe("Tokenizer.encode", () => {
  test.each(names)("gives the ids of the Rust library: %s", async (name) => {
    const tokenizer = await Tokenizer.load(folderOf(name));
    fixture.texts.forEach((text, i) => {
      expect([...tokenizer.encode(text, { special: false })], text).toEqual(fixture.raw[name]?.[i]?.plain);
      // lm_eval adds no second prefix token to a text that begins with one; Rust alone does.
      if (!text.startsWith("<s>")) expect([...tokenizer.encode(text)], text).toEqual(fixture.raw[name]?.[i]?.special);
    });
  });

  test("leaves out a piece for which there is no token, as Rust does", async () => {
    const path = await altered("byte-level", "tokenizer.json", ({ model }) => {
      delete model.vocab["x"];
    });
    const tokenizer = await Tokenizer.load(path);
    expect(tokenizer.encode("axa")).toEqual(tokenizer.encode("aa"));
  });
});

describe("Tokenizer.encodePair", () => {
  test.each(fixture.encodings)("gives the ids of lm_eval: $tokenizer, addBos $addBos", async (expected) => {
    const options = expected.addBos === null ? {} : { addBos: expected.addBos };
    const tokenizer = await Tokenizer.load(folderOf(expected.tokenizer), options);
    const actual = fixture.pairs.map(([context, continuation]) => {
      const pair = tokenizer.encodePair(context, continuation);
      return [[...pair.context], [...pair.continuation]];
    });
    expect(actual).toEqual(expected.ids);
  });

  test("gives the same ids whichever pair came before", async () => {
    const tokenizer = await Tokenizer.load(folderOf("byte-level-bos"));
    const first = tokenizer.encodePair("The fox ", "lives");
    tokenizer.encodePair("The", " fox");
    expect(tokenizer.encodePair("The fox", " lives")).toEqual(first);
  });
});

describe("Tokenizer.load", () => {
  test("knows the size of the vocabulary", async () => {
    for (const name of names) expect((await Tokenizer.load(folderOf(name))).vocabularySize).toBe(fixture.sizes[name]);
    const path = await altered("byte-level", "tokenizer.json", (json) =>
      json.added_tokens.push({ ...json.added_tokens[0]!, id: 400, content: "<x>" }),
    );
    expect((await Tokenizer.load(path)).vocabularySize).toBe(401);
  });

  test("the digest changes with what decides ids and with nothing else", async () => {
    const original = await digestOf(folderOf("byte-level-bos"));
    const same = [
      await altered("byte-level-bos", "tokenizer_config.json", (json) => (json.chat_template = "{{ messages }}")),
      await altered("byte-level-bos", "tokenizer_config.json", (json) => (json.eos_token = "<another>")),
      await altered("byte-level-bos", "tokenizer.json", (json) => (json.padding = null)),
      await altered("byte-level-bos", "tokenizer.json", ({ model }) => {
        model.merges = model.merges.map((merge) => (Array.isArray(merge) ? merge.join(" ") : merge.split(" ")));
      }),
    ];
    for (const path of same) expect(await digestOf(path)).toBe(original);
    const different = [
      folderOf("byte-level"),
      await altered("byte-level-bos", "tokenizer.json", ({ model }) => model.merges.pop()),
      await altered("byte-level-bos", "tokenizer.json", (json) => (json.post_processor = null)),
      await altered("byte-level-bos", "tokenizer_config.json", (json) => (json.bos_token = null)),
    ];
    for (const path of different) expect(await digestOf(path)).not.toBe(original);
  });

  test.each([
    ["no tokenizer.json", "tokenizer.json", null, /tokenizer\.json: not found; copy the tokenizer files/],
    ["no tokenizer_config.json", "tokenizer_config.json", null, /tokenizer_config\.json: not found; copy/],
    ["broken JSON", "tokenizer.json", "{", /tokenizer\.json: cannot be read as JSON/],
    ["another file", "tokenizer.json", "{}", /tokenizer\.json: model: /],
    [
      "an unknown model",
      "tokenizer.json",
      '{"model":{"type":"X"},"added_tokens":[]}',
      /tokenizer\.json: not supported: /,
    ],
    ["a strange token", "tokenizer_config.json", '{"bos_token":3}', /tokenizer_config\.json: bos_token: /],
  ])("explains %s", async (_, file, content, message) => {
    const path = await altered("byte-level-bos", "tokenizer.json", () => {});
    await (content === null ? rm(join(path, file)) : writeFile(join(path, file), content));
    await expect(Tokenizer.load(path)).rejects.toThrow(message);
    await expect(Tokenizer.load(path)).rejects.toThrow(UserError);
  });

  test("says how to convert a SentencePiece model", async () => {
    const path = await altered("metaspace-bos", "tokenizer.json", () => {});
    await rm(join(path, "tokenizer.json"));
    await writeFile(join(path, "tokenizer.model"), "");
    await expect(Tokenizer.load(path)).rejects.toThrow(/convert it once .*AutoTokenizer\.from_pretrained/);
  });

  test("refuses addBos where there is no such token", async () => {
    await expect(Tokenizer.load(folderOf("byte-level"), { addBos: true })).rejects.toThrow(/expected a bos_token/);
  });
});
