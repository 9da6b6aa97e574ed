import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generate } from "../../src/experiment/generate.ts";
import { logProbabilities } from "../../src/experiment/log-probabilities.ts";
import { scoreModel } from "../../src/experiment/score-model.ts";
import { refusal } from "../refusal.ts";
import { writeAdapted, writeTinyAdapter } from "../tiny-adapter.ts";
import { quizRows, tokenizer, writeRows } from "../tiny-experiment.ts";
import { writeTinyModel } from "../tiny-model.ts";

const ids = [3, 1, 4, 1, 5, 9, 2, 6];

describe("the base of an adapter that is computed by itself", () => {
  let folder: string;
  let base: string;
  let adapter: string;
  /** What it makes of the base. */
  let adapted: string;
  let rows: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "evomerge-"));
    base = await writeTinyModel(join(folder, "base"), { tokenizer });
    adapter = await writeTinyAdapter(join(folder, "adapter"), base);
    adapted = join(folder, "adapted");
    cpSync(base, adapted, { recursive: true });
    await writeAdapted(adapted, adapter, base);
    rows = join(folder, "rows.jsonl");
    await writeRows(rows, quizRows("search", 4));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  /** A copy of the adapter that names another base. */
  function naming(name: unknown): string {
    const copy = join(folder, `of ${String(name).replaceAll("/", "-")}`);
    cpSync(adapter, copy, { recursive: true });
    const file = join(copy, "adapter_config.json");
    const config = JSON.parse(readFileSync(file, "utf8")) as object;
    writeFileSync(file, JSON.stringify({ ...config, base_model_name_or_path: name }));
    return copy;
  }

  test("is the one that it names", async () => {
    const found = await logProbabilities({ folder: adapter, ids });
    expect(found).toEqual(await logProbabilities({ folder: adapted, ids }));
    expect(found).not.toEqual(await logProbabilities({ folder: base, ids }));
  });

  test("is the one that is given, where that has moved", async () => {
    const notices: string[] = [];
    const moved = naming("/nowhere/llama");
    const options = { base, onNotice: (text: string) => void notices.push(text) };
    expect(await logProbabilities({ folder: moved, ids, ...options })).toEqual(
      await logProbabilities({ folder: adapted, ids }),
    );
    expect(await scoreModel({ model: moved, rows: rows, ...options })).toEqual(
      await scoreModel({ model: adapted, rows: rows }),
    );
    const prompts = ["who knows"];
    expect(await generate({ model: moved, prompts, ...options })).toEqual(await generate({ model: adapted, prompts }));
    expect(notices).toContain(
      `${moved}: its adapter_config.json says that it was trained on '/nowhere/llama'; it is applied to the base ${base}`,
    );
  });

  test.each<[unknown, string]>([
    [null, "expected the full model that it was trained on, found nothing"],
    ["", "expected the full model that it was trained on, found nothing"],
    ["/nowhere/base", "/nowhere/base: no such file or directory; expected a Hugging Face model folder"],
  ])("is asked for where it is not there: %j", async (name, fault) => {
    const copy = naming(name);
    const sentence = `${copy}/adapter_config.json: base_model_name_or_path: ${fault}; name its base with --base`;
    expect(await refusal(logProbabilities({ folder: copy, ids }))).toBe(sentence);
    expect(await refusal(scoreModel({ model: copy, rows: rows }))).toBe(sentence);
    expect(await refusal(generate({ model: copy, prompts: ["who"] }))).toBe(sentence);
  });

  test("is asked for where an adapter is named", async () => {
    const copy = naming(adapter);
    expect(await refusal(logProbabilities({ folder: copy, ids }))).toBe(
      `${copy}/adapter_config.json: base_model_name_or_path: expected the full model that it was trained on, found '${adapter}', an adapter; name its base with --base`,
    );
  });

  test("is refused for a full model", async () => {
    expect(await refusal(logProbabilities({ folder: adapted, base, ids }))).toBe(
      `${adapted} is a full model; leave out its base (--base), which only an adapter has`,
    );
  });
});
