import { readFileSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { compareParents } from "../../src/experiment/compare-parents.ts";
import type { ParentFinding } from "../../src/experiment/parent-finding.ts";
import { Tokenizer } from "../../src/model/tokenizer/tokenizer.ts";
import { type Change, changedFolder, folderOf } from "../model/tokenizer/tokenizer-folders.ts";

const modelConfig = join(import.meta.dirname, "..", "fixtures", "model", "llama-untied", "config.json");

/** What is found about the tokenizer of an expert, whose folder is called E as the base's is called B. */
async function findings(
  name: string,
  base: readonly Change[],
  expert: readonly Change[],
  embeddings = 500,
): Promise<ParentFinding[]> {
  const parents = [["B", base] as const, ["E", expert] as const].map(async ([called, changes]) => {
    const folder = await changedFolder(name, changes);
    const config = { ...JSON.parse(await readFile(modelConfig, "utf8")), vocab_size: embeddings };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    return { name: called, folder, isAdapter: false, headers: async () => undefined, isHere: true };
  });
  return [...(await compareParents(await Promise.all(parents))).findings];
}

/** What is found about an adapter of a base of the same tokenizer, but for the changes. */
async function ofAdapter(
  changes: readonly Change[],
  { without = [], of = "byte-level-bos", inBoth = [] }: { without?: string[]; of?: string; inBoth?: Change[] } = {},
): Promise<ParentFinding[]> {
  const [base, adapter] = [await changedFolder(of, inBoth), await changedFolder(of, [...inBoth, ...changes])];
  const config = { ...JSON.parse(await readFile(modelConfig, "utf8")), vocab_size: 500 };
  await writeFile(join(base, "config.json"), JSON.stringify(config));
  await writeFile(join(adapter, "adapter_config.json"), JSON.stringify({ peft_type: "LORA", r: 1, lora_alpha: 1 }));
  for (const name of ["config.json", ...without]) await rm(join(adapter, name), { force: true });
  const parents = [
    { name: "B", folder: base, isAdapter: false },
    { name: "E", folder: adapter, isAdapter: true },
  ].map((parent) => ({ ...parent, headers: async () => undefined, isHere: true }));
  return [...(await compareParents(parents)).findings];
}

describe("the tokenizer beside an adapter", () => {
  const others: Change[] = [["tokenizer.json", "model.merges", [["e", "s"]]]];

  test("is compared like any expert's", async () => {
    expect(await ofAdapter([])).toEqual([]);
    const differs = expect.stringMatching(/^E: its tokenizer is not that of the base B: merge \d+: .+ merge$/);
    expect(await ofAdapter(others)).toEqual([{ name: "E", about: "tokenizer", verdict: "fault", text: differs }]);
  });

  test("need not be there, and a part of one is none", async () => {
    expect(await ofAdapter(others, { without: ["tokenizer.json"] })).toEqual([]);
    expect(await ofAdapter(others, { without: ["tokenizer_config.json"] })).toEqual([]);
  });

  test("is of the class that the base's config.json says", async () => {
    const inBoth: Change[] = [["tokenizer_config.json", "tokenizer_class", "LlamaTokenizer"]];
    expect(await ofAdapter([], { of: "metaspace-bos", inBoth })).toEqual([]);
  });
});

test("says nothing of tokenizers that give the same ids", async () => {
  const resaved: Change[] = [
    ["tokenizer.json", "model.ignore_merges"],
    ["tokenizer.json", "model.fuse_unk", true],
  ];
  expect(await findings("byte-level-bos", [], resaved)).toEqual([]);
});

test("refuses another tokenizer, and names the first differences", async () => {
  const other: Change[] = [
    ["tokenizer.json", "model.merges", [["e", "s"]]],
    ["tokenizer.json", "model.ignore_merges", true],
    ["tokenizer.json", "normalizer", { type: "NFC" }],
    ["tokenizer.json", "pre_tokenizer", { type: "WhitespaceSplit" }],
  ];
  const [finding, ...more] = await findings("byte-level-bos", [], other);
  expect(more).toEqual([]);
  expect(finding).toEqual({
    name: "E",
    about: "tokenizer",
    verdict: "fault",
    text: expect.stringMatching(
      /^E: its tokenizer is not that of the base B: merge \d+: '.+' in the base, .+ here; model\.ignore_merges: not set in the base, true here; normalizer: null in the base, \{"type":"NFC"\} here; and 1 more; only models of one vocabulary merge$/,
    ),
  });
});

test("tells that an expert's file adds no token in front, since the base's does for all", async () => {
  expect(await findings("byte-level-bos", [], [["tokenizer.json", "post_processor", null]])).toEqual([
    {
      name: "E",
      about: "tokenizer",
      verdict: "notice",
      text: "E: the tokenizer of the base is used for all models; this one's differs: post_processor: [1, text] in the base, [text] here",
    },
  ]);
});

const added = JSON.parse(readFileSync(join(folderOf("byte-level-bos"), "tokenizer.json"), "utf8")).added_tokens;
const inFile = (content: string): Change => [
  "tokenizer.json",
  "added_tokens",
  [...added, { id: 320, content, special: true }],
];
const inConfig = (name: string, value: unknown): Change => ["tokenizer_config.json", name, value];
const leftOut =
  "its added token '<more>' is left out, since the tokenizer of the base is used for all models; set tokenizer: union to keep it";
const spare = (there: string, here: string): string =>
  `the tokenizer of the base is used for all models; this one's differs: added token '<more>': ${there} in the base, ${here} here`;
const none = "one without an embedding";

describe("a token that one model has more, of 320 that both have:", () => {
  test.each<[string, Change[], Change[], number, string[]]>([
    [
      "padding in the file, named in the base's settings",
      [inConfig("pad_token", "<more>")],
      [inFile("<more>")],
      320,
      [],
    ],
    ["the same with an embedding", [inConfig("pad_token", "<more>")], [inFile("<more>")], 384, []],
    [
      "more special tokens, in the file",
      [inConfig("additional_special_tokens", ["<more>"])],
      [inFile("<more>")],
      384,
      [],
    ],
    ["padding", [], [inFile("<more>"), inConfig("pad_token", "<more>")], 320, [`notice E: ${spare("none", none)}`]],
    ["padding with an embedding", [], [inConfig("pad_token", "<more>")], 384, [`notice E: ${leftOut}`]],
    ["no embedding", [], [inFile("<more>")], 320, [`notice E: ${spare("none", none)}`]],
    ["an embedding", [], [inFile("<more>")], 321, [`notice E: ${leftOut}`]],
    [
      "an embedding, in its settings",
      [],
      [inConfig("additional_special_tokens", ["<more>"])],
      321,
      [`notice E: ${leftOut}`],
    ],
    [
      "an embedding, in the base",
      [inFile("<more>")],
      [],
      321,
      ["notice E: it lacks '<more>' of the base; a merge has the base's embeddings there"],
    ],
    ["no embedding, in the base", [inFile("<more>")], [], 320, [`notice E: ${spare(none, "none")}`]],
    [
      "no embedding, but a piece of texts",
      [],
      [["tokenizer.json", "model.vocab.more", 320]],
      320,
      [
        "fault E: its tokenizer is not that of the base B: token 320: none in the base, 'more' here; only models of one vocabulary merge",
      ],
    ],
  ])("%s", async (_, base, expert, embeddings, expected) => {
    const found = await findings("byte-level-bos", base, expert, embeddings);
    expect(found.map(({ verdict, text }) => `${verdict} ${text}`)).toEqual(expected);
  });
});

test("tells of a setting that gives the same file other spaces", async () => {
  const ofClass = inConfig("tokenizer_class", "GPT2Tokenizer");
  const [finding] = await findings("byte-level", [ofClass], [ofClass, inConfig("add_prefix_space", true)]);
  expect(finding?.verdict).toBe("notice");
  expect(finding?.text).toMatch(/this one's differs: pre_tokenizer: .*false.* in the base, .*true.* here$/);
});

test("tells that a class gives the same file other spaces", async () => {
  const [finding] = await findings(
    "metaspace-bos",
    [["tokenizer_config.json", "tokenizer_class", "LlamaTokenizer"]],
    [],
  );
  expect(finding?.verdict).toBe("notice");
  expect(finding?.text).toContain("spaces before a text: first in the base, each here");
});

test("tells that special tokens are text in an expert's folder", async () => {
  const [finding, ...more] = await findings(
    "byte-level-bos",
    [],
    [["tokenizer_config.json", "split_special_tokens", true]],
  );
  expect(more).toEqual([]);
  expect(finding?.verdict).toBe("notice");
  expect(finding?.text).toContain("added token '<s>': no flags in the base, split_special_tokens here");
});

test("tells that a class is not known", async () => {
  const [finding] = await findings(
    "byte-level-bos",
    [["tokenizer_config.json", "tokenizer_class", "XLNetTokenizer"]],
    [],
  );
  expect(finding).toEqual({
    name: "B",
    about: "tokenizer",
    verdict: "notice",
    text: "B: tokenizer_class 'XLNetTokenizer' is not known here: texts are tokenised as tokenizer.json says, rows may score otherwise than in lm_eval",
  });
});

test.each<[string, Change]>([
  ["LlamaTokenizer", ["tokenizer_config.json", "tokenizer_class", "LlamaTokenizerFast"]],
  ["Qwen2Tokenizer", ["config.json", "model_type", "qwen2"]],
])("tells that a class makes another kind of tokenizer: %s", async (called, change) => {
  const pieces = ["<unk>", "<s>", "</s>", "a", "b", "ab"];
  const model = { type: "Unigram", unk_id: 0, vocab: pieces.map((piece, id) => [piece, -id]) };
  const folder = await changedFolder("metaspace-bos", [["tokenizer.json", "model", model], change]);
  const { doubt } = await Tokenizer.describe(folder);
  expect(doubt).toBe(
    `in transformers 5 its ${called} takes every vocabulary for one of BPE, and tokenizer.json has 'Unigram': texts are tokenised as tokenizer.json says, rows score otherwise than in lm_eval`,
  );
});

test("says nothing of characters that a vocabulary lacks, which are left out as in lm_eval", async () => {
  const lacking: Change[] = [["tokenizer.json", "model.vocab.~"]];
  expect(await findings("byte-level", lacking, lacking)).toEqual([]);
});
