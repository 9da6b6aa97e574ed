import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../../src/errors.ts";
import { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { altered, fixture, folderOf, names } from "./tokenizer-folders.ts";

const digestOf = async (path: string): Promise<string> => {
  await using tokenizer = await Tokenizer.load(path);
  return tokenizer.digest;
};

const sizeOf = async (path: string): Promise<number> => {
  await using tokenizer = await Tokenizer.load(path);
  return tokenizer.vocabularySize;
};

describe("Tokenizer.load", () => {
  test("knows the size of the vocabulary", async () => {
    for (const name of names) expect(await sizeOf(folderOf(name))).toBe(fixture.sizes[name]);
    const path = await altered("byte-level", "tokenizer.json", (json) =>
      json.added_tokens.push({ ...json.added_tokens[0]!, id: 400, content: "<x>" }),
    );
    // Hugging Face's library goes on counting, whatever the file says.
    expect(await sizeOf(path)).toBe(321);
  });

  test("the digest changes with what decides ids and with nothing else", async () => {
    const original = await digestOf(folderOf("byte-level-bos"));
    const same = [
      await altered("byte-level-bos", "tokenizer_config.json", (json) => (json.chat_template = "{{ messages }}")),
      await altered("byte-level-bos", "tokenizer_config.json", (json) => (json.eos_token = "<unk>")),
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
    ["broken JSON", "tokenizer.json", "{", /tokenizer\.json: expected a JSON object: this JSON ends too early/],
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
    await expect(Tokenizer.load(path)).rejects.toThrow(
      `convert it once with transformers in Python: AutoTokenizer.from_pretrained("${path}").save_pretrained("${path}")`,
    );
  });

  test("advises to convert a SentencePiece model of the cache into another folder", async () => {
    const path = join(await temporaryFolder(), "models--org--some-name", "snapshots", "0123abcd");
    await mkdir(path, { recursive: true });
    await writeFile(join(path, "tokenizer.model"), "");
    const advice =
      'AutoTokenizer.from_pretrained("org/some-name").save_pretrained("converted"); then put its config.json and weights into that folder and give it instead';
    await expect(Tokenizer.load(path)).rejects.toThrow(advice);
  });

  test("refuses addBos where there is no such token", async () => {
    await expect(Tokenizer.load(folderOf("byte-level"), { addBos: true })).rejects.toThrow(/expected a bos_token/);
  });
});
