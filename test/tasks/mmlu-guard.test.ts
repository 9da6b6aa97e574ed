import { describe, expect, test } from "vitest";
import { findMmlu, isMmluName } from "../../src/tasks/mmlu-guard.ts";
import { readRows, type TaskRow } from "../../src/tasks/rows.ts";

const read = (name: string, options = {}): Promise<TaskRow[]> =>
  readRows(new URL(`../fixtures/tasks/rows/${name}.jsonl`, import.meta.url).pathname, options);

const row = (context: string, continuations: readonly string[] = [" A", " B", " C", " D"]): TaskRow => ({
  id: "0",
  kind: "choice",
  context,
  continuations,
  label: 0,
  passage: "0",
  group: "0",
});

describe("findMmlu", () => {
  test.each([
    ["as lm_eval asks it", {}],
    ["with the answers written out", { format: "mmlu_continuation" }],
    ["without the subject", { description: false }],
  ])("finds MMLU %s", async (_, options) => {
    const rows = await read("mmlu", options);
    expect(findMmlu([...(await read("choice")), ...rows])).toBe(rows[0]);
  });

  test("finds the introduction within a context, whatever the answers", () => {
    const header = "The following are multiple choice questions (with answers) about anatomy.";
    const found = row(`<user>${header}\n\nWhich?`, [" a bone", " a nerve"]);
    expect(findMmlu([row("Which?"), found])).toBe(found);
  });

  test("takes no other rows for it", async () => {
    const options = "\nOptions:\nA. a\nB. b\nC. c\nD. d";
    const others = [
      row(`A passage .\nQuestion: why ?${options}`),
      row(`A passage .\nWhy ?${options}\nAnswer:`, [" a", " b", " c", " d"]),
      row("Question: why ?\nAnswer:"),
    ];
    expect(findMmlu([...(await read("choice")), ...(await read("text")), ...others])).toBeUndefined();
  });
});

describe("isMmluName", () => {
  test.each(
    "mmlu mmlu_anatomy tinyMMLU tinyBenchmarks/tinyMMLU metabench_mmlu cais/mmlu hails/mmlu_no_train hendrycks_test hendrycksTest-anatomy TIGER-Lab/MMLU-Pro openai/MMMLU rows/mmlu_dev.jsonl myMMLU global_mmlu".split(
      " ",
    ),
  )("knows %s", (name) => {
    expect(isMmluName(name)).toBe(true);
  });

  test.each(
    "cosmosqa xsum cmmlu haonan-li/cmmlu kmmlu MMMU/MMMU hendrycks_math EleutherAI/hendrycks_ethics".split(" "),
  )("passes over %s", (name) => {
    expect(isMmluName(name)).toBe(false);
  });
});
