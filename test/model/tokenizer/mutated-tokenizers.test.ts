import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { Tokenizer } from "../../../src/model/tokenizer/tokenizer.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { mutatedBytes, mutatedJson, mutationCount, meetMutations } from "../../mutations.ts";
import { folderOf, names } from "./tokenizer-folders.ts";

const COUNT = mutationCount(600);

const files = ["tokenizer.json", "tokenizer_config.json"] as const;
const originals = names.map((name) => files.map((file) => readFileSync(join(folderOf(name), file), "utf8")));

/** Parts of tokenizers with settings that nobody writes. */
const own: readonly string[] = [
  { type: "Split", pattern: { Regex: "" }, behavior: "Isolated", invert: true },
  { type: "Split", pattern: { Regex: "(?<=(a*)*)[" }, behavior: "Removed" },
  { type: "Replace", pattern: { String: "" }, content: "aa" },
  { type: "Prepend", prepend: null },
  { type: "Metaspace", replacement: "", str_rep: "x".repeat(1000), prepend_scheme: "always" },
  { type: "Sequence", normalizers: null, pretokenizers: [null], processors: [{}] },
  {
    type: "Unigram",
    unk_id: 1e9,
    vocab: [
      ["a", 0],
      ["", -1],
    ],
  },
  { type: "WordPiece", vocab: { a: 0 }, unk_token: "none" },
  { type: "TemplateProcessing", single: [{ SpecialToken: { id: "__proto__" } }], special_tokens: {} },
  { type: "BertProcessing", cls: ["a", 5], sep: [] },
].map((part) => JSON.stringify(part));

const rows = [
  { context: "The fox aab, ", continuations: [" <s>ä\ud800 1", "x"] },
  { context: "", continuations: [" é"] },
];

test(`${COUNT} mutated tokenizers give ids of theirs or are refused in one sentence`, async () => {
  const folder = await temporaryFolder();
  const tally = await meetMutations("tokenizers", COUNT, async (random) => {
    const original = originals[random.integer(originals.length)]!;
    const which = random.integer(4) === 0 ? 1 : 0;
    for (const [i, file] of files.entries()) {
      const text = original[i]!;
      const changed = i === which ? mutatedJson(JSON.parse(text), random, own) : text;
      const bytes = Buffer.from(changed);
      await writeFile(join(folder, file), i === which && random.integer(5) === 0 ? mutatedBytes(bytes, random) : bytes);
    }
    await using tokenizer = await Tokenizer.load(folder);
    for (const { context, continuations } of await tokenizer.encode(rows)) {
      for (const ids of [context, ...continuations])
        expect(ids.every((id) => id >= 0 && id < tokenizer.vocabularySize)).toBe(true);
    }
  });
  expect(tally.refused).toBeGreaterThan(COUNT / 5);
  expect(tally.sound).toBeGreaterThan(COUNT / 50);
}, 3_600_000);
