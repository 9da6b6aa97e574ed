import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { compareParents, type ParentFinding } from "../../src/experiment/compare-parents.ts";
import { type Change, changedFolder } from "../model/tokenizer/tokenizer-folders.ts";

const modelConfig = join(import.meta.dirname, "..", "fixtures", "model", "llama-untied", "config.json");

/** What is found about the tokenizer of an expert, whose folder is called E as the base's is called B. */
async function findings(name: string, base: readonly Change[], expert: readonly Change[]): Promise<ParentFinding[]> {
  const parents = [["B", base] as const, ["E", expert] as const].map(async ([called, changes]) => {
    const folder = await changedFolder(name, changes);
    const config = { ...JSON.parse(await readFile(modelConfig, "utf8")), vocab_size: 500 };
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    return { name: called, folder, isAdapter: false, headers: async () => undefined, isHere: true };
  });
  return [...(await compareParents(await Promise.all(parents)))];
}

test("says nothing of tokenizers that give the same ids", async () => {
  const resaved: Change[] = [
    ["tokenizer.json", "model.ignore_merges"],
    ["tokenizer.json", "model.fuse_unk", true],
  ];
  expect(await findings("byte-level-bos", [], resaved)).toEqual([]);
});

test("refuses another tokenizer, and names the first differences", async () => {
  const other: Change[] = [
    ["tokenizer.json", "model.merges", [["o", "r"]]],
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

test("tells that a class gives the same file other spaces", async () => {
  const [finding] = await findings(
    "metaspace-bos",
    [["tokenizer_config.json", "tokenizer_class", "LlamaTokenizer"]],
    [],
  );
  expect(finding?.verdict).toBe("notice");
  expect(finding?.text).toContain("spaces before a text: first in the base, each here");
});

test("tells that a class is not known", async () => {
  const [finding] = await findings("byte-level-bos", [["tokenizer_config.json", "tokenizer_class", "T5Tokenizer"]], []);
  expect(finding).toEqual({
    name: "B",
    about: "tokenizer",
    verdict: "notice",
    text: "B: tokenizer_class 'T5Tokenizer' is not known here: texts are tokenised as tokenizer.json says, rows may score otherwise than in lm_eval",
  });
});

test("tells that a vocabulary lacks characters", async () => {
  const [finding] = await findings("byte-level", [["tokenizer.json", "model.vocab.~"]], []);
  expect(finding?.text).toBe(
    "B: its vocabulary lacks characters: rows that hold them may score otherwise than in lm_eval",
  );
});
