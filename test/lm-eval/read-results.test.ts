import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { UserError } from "../../src/errors.ts";
import { type LmEvalOutput, readLmEvalOutput } from "../../src/lm-eval/read-results.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** What is read of these files, written where lm_eval writes them. */
async function read(files: Readonly<Record<string, string>>): Promise<LmEvalOutput> {
  const output = await temporaryFolder();
  await mkdir(join(output, "models__base"));
  for (const [name, text] of Object.entries(files)) await writeFile(join(output, "models__base", name), text);
  return readLmEvalOutput(output);
}

const results = '{"results": {"quiz": {"acc,none": 0.5, "perplexity,none": NaN}}, "config": {"limit": -Infinity}}';
const samples = [
  { doc_id: 1, doc_hash: "b", doc: "two\u2028lines", filter: "none", acc: 0 },
  { doc_id: 0, doc_hash: "a", filter: "none", acc: 1 },
  { doc_id: 0, doc_hash: "a", filter: "other", acc: 0 },
];
const lines = samples.map((sample) => `${JSON.stringify(sample)}\n`).join("");

describe("readLmEvalOutput", () => {
  test("says that nothing was written where there is nothing", async () => {
    const output = join(await temporaryFolder(), "absent");
    await expect(readLmEvalOutput(output)).rejects.toThrow(
      `${output}: lm_eval ended without writing results_*.json there`,
    );
  });

  test("reads the latest results whole, with what JSON lacks as null", async () => {
    const { results: read_ } = await read({
      "results_2026-01-01T00-00-00.1.json": '{"results": {"old": {}}}',
      "results_2026-01-02T00-00-00.1.json": results,
    });
    expect(read_).toMatchObject({
      results: { quiz: { "acc,none": 0.5, "perplexity,none": null } },
      config: { limit: null },
      group_subtasks: {},
    });
  });

  test("reads what is laid out with any amount of white space in one pass", async () => {
    const spaces = " ".repeat(1_000_000);
    const { results: found } = await read({
      "results_1.json": `{"results": {"quiz": {"acc,none":${spaces}NaN${spaces}}}}`,
    });
    expect(found).toMatchObject({ results: { quiz: { "acc,none": null } } });
  });

  test.each(["__proto__", "constructor", "toString"])("refuses a task named %s", async (name) => {
    for (const text of [
      `{"results": {"quiz": {}, "${name}": {"acc,none": 1}}}`,
      `{"results": {"quiz": {}}, "group_subtasks": {"quiz": ["${name}"]}}`,
    ]) {
      const reading = read({ "results_1.json": text });
      await expect(reading).rejects.toThrow(`results_1.json: a task cannot be named '${name}' here; rename it`);
      await expect(reading).rejects.toThrow(UserError);
    }
  });

  test("reads whether each document was answered right, in their order and by the first filter", async () => {
    const file = "samples_quiz_2026-01-02T00-00-00.1.jsonl";
    const { rows } = await read({ "results_2.json": results, [file]: lines });
    expect(rows["quiz"]?.acc).toEqual([1, 0]);
    const others = await read({ "results_2.json": results, [file]: lines.replace('"doc_hash":"b"', '"doc_hash":"c"') });
    expect(others.rows["quiz"]?.documents).not.toBe(rows["quiz"]?.documents);
  });

  test("takes no samples of a task with a longer name, nor of one without acc", async () => {
    const { rows } = await read({
      "results_2.json": '{"results": {"quiz": {}, "news": {}}}',
      "samples_quiz_hard_2026-01-02T00-00-00.1.jsonl": lines,
      "samples_news_2026-01-02T00-00-00.1.jsonl": '{"doc_id": 0, "exact_match": 1}\n',
    });
    expect(rows).toEqual({});
  });

  test("refuses what lm_eval does not write", async () => {
    await expect(read({})).rejects.toThrow("lm_eval ended without writing results_*.json there");
    await expect(read({ "results_2.json": '{"results": []}' })).rejects.toThrow("expected the results of lm_eval 0.4");
    await expect(read({ "results_2.json": "{" })).rejects.toThrow(UserError);
    const torn = { "results_2.json": results, "samples_quiz_2026-01-02T00-00-00.1.jsonl": '{"doc_id": "x"}' };
    await expect(read(torn)).rejects.toThrow("expected a sample of lm_eval");
  });
});
