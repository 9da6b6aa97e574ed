/** Searches over experts of other tokens, of padded embeddings, and with a head of their own beside tied models. */
import { readFileSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { openCheckpoint } from "../../src/experiment/open-checkpoint.ts";
import { loadExperiment } from "../../src/experiment/experiment-file.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { exportRun } from "../../src/export/export-run.ts";
import { readJournal } from "../../src/journal/journal.ts";
import { Tokenizer } from "../../src/model/tokenizer/tokenizer.ts";
import { launchRun } from "../../src/run/launch-run.ts";
import { resumeRun } from "../../src/run/resume-run.ts";
import { interrupt } from "../observed-run.ts";
import { refusal } from "../refusal.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { traces, writeTinyExperiment } from "../tiny-experiment.ts";
import { editJson, writeTinyVocabulary } from "../vocabulary/tiny-vocabularies.ts";

const START = "<|im_start|>";
const END = "<|im_end|>";

/** A tied base, a tied expert for chats and one with padded embeddings, a token and a head of its own. */
async function experimentOf(folder: string, tokenizer?: string): Promise<Experiment> {
  const path = await writeTinyExperiment(folder, { file: tokenizer === undefined ? {} : { tokenizer } });
  const models = { base: {}, nature: { added: [START, END] }, craft: { added: ["<|tool|>"], rows: 352 } };
  for (const [i, [name, own]] of Object.entries(models).entries()) {
    await rm(join(folder, name), { recursive: true });
    const perturbed = i === 0 ? {} : { perturbed: { seed: 20 + i, by: 0.1 } };
    await writeTinyVocabulary(join(folder, name), { tied: name !== "craft", ...own, ...perturbed });
  }
  await editJson(join(folder, "nature", "config.json"), (config) => (config["eos_token_id"] = 321));
  return loadExperiment(path);
}

const readJson = (path: string): Record<string, unknown> => JSON.parse(readFileSync(path, "utf8"));

describe.each<[string | undefined, number, Record<string, number | undefined>, number | undefined]>([
  [undefined, 320, { [START]: undefined, [END]: undefined, "<|tool|>": undefined }, undefined],
  ["union", 352, { [START]: 320, [END]: 321, "<|tool|>": 322 }, undefined],
  ["nature", 322, { [START]: 320, [END]: 321, "<|tool|>": undefined }, 321],
])("a search with the tokenizer %s", (tokenizer, rows, tokens, end) => {
  test("exports what it scored, with configuration and tokenizer that agree with the embeddings", async () => {
    const folder = await temporaryFolder();
    const experiment = await experimentOf(folder, tokenizer);
    const run = join(folder, "run");
    const notices: string[] = [];
    await launchRun(experiment, run, {
      onEvent: (event) => void (event.type === "notice" && notices.push(event.text)),
    });
    expect(notices.join("\n")).toContain(tokenizer === "union" ? "are kept, with embeddings" : "left out");
    expect(notices.join("\n")).toContain("has both; so has a merge");
    const { experiment: recorded } = readJournal(run).records[0] as unknown as { experiment: Experiment };
    expect(recorded.tokenizer).toBe(tokenizer);
    const { model, weightsDigest } = await exportRun(run);
    const config = readJson(join(model, "config.json"));
    expect(config).toMatchObject({ vocab_size: rows, tie_word_embeddings: false });
    expect(config["eos_token_id"]).toBe(end);
    const { model: learned, added_tokens: added } = readJson(join(model, "tokenizer.json")) as {
      model: { vocab: Record<string, number> };
      added_tokens: { content: string; id: number }[];
    };
    const ids = new Map([...Object.entries(learned.vocab), ...added.map(({ content, id }) => [content, id] as const)]);
    for (const [token, id] of Object.entries(tokens)) expect(ids.get(token), token).toBe(id);
    await using written = await openCheckpoint(model);
    expect(await written.weightsDigest()).toBe(weightsDigest);
    for (const name of ["model.embed_tokens.weight", "lm_head.weight"])
      expect(written.tensors.get(name)?.shape, name).toEqual([rows, 16]);
    const quiz = join(folder, "rows", "quiz.guard.jsonl");
    expect((await scoreModel({ model, rows: quiz, engine: "ggml" })).rows).toBe(8);
  });
});

test("an interrupted search of a union goes on as if it had not been", async () => {
  const folder = await temporaryFolder();
  const experiment = await experimentOf(folder, "union");
  const [whole, halves] = [join(folder, "whole"), join(folder, "halves")];
  await launchRun(experiment, whole);
  await interrupt(experiment, halves, ({ type }) => type === "generation");
  await resumeRun(halves);
  expect(traces(halves)).toEqual(traces(whole));
});

test("a parent whose tokenizer puts tokens in other places than it did is noticed", async () => {
  const folder = await temporaryFolder();
  const experiment = await experimentOf(folder, "union");
  const run = join(folder, "run");
  await launchRun(experiment, run);
  await editJson(join(folder, "nature", "tokenizer.json"), ({ added_tokens: added }) => {
    added.at(-2)!.content = END;
    added.at(-1)!.content = START;
  });
  expect(await refusal(resumeRun(run))).toMatch(/tokenizer/);
});

test("prompts are tokenised with the merge's tokenizer", async () => {
  const folder = await temporaryFolder();
  const { base, experts } = await experimentOf(folder);
  const [chat] = experts;
  const more = [{ folder: chat!.path, rows: 322 }];
  await using own = await Tokenizer.load(base);
  await using united = await Tokenizer.load({ folder: base, more });
  const text = [`${START}user`];
  const [[split], [whole]] = [await own.prompts(text), await united.prompts(text)];
  expect([...whole!].filter((id) => id >= 320)).toEqual([320]);
  expect([...split!].filter((id) => id >= 320)).toEqual([]);
});

test("an experiment says what it does not know of tokens", async () => {
  const folder = await temporaryFolder();
  const path = await writeTinyExperiment(folder, { file: { tokenizer: "natur" } });
  const found = await refusal(loadExperiment(path));
  expect(found).toContain('tokenizer: expected base, union or the name of an expert (nature, craft), found "natur"');
});
