import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { findEvaluation, type StoredEvaluation, writeEvaluation } from "../../src/lm-eval/stored-evaluation.ts";
import { temporaryFolder } from "../temporary-folder.ts";

const evaluation: StoredEvaluation = {
  model: "winner",
  kind: "winner",
  source: "/run/best",
  recipe: { method: "passthrough", model: "nature" },
  task: "quiz",
  arguments: ["--tasks", "quiz"],
  command: ["lm_eval"],
  lmEvalVersion: "0.4.13",
  date: "2026-01-01T00:00:00.000Z",
  weights: "a",
  seconds: 1,
  rows: {},
  results: { results: {}, group_subtasks: {}, "n-samples": {}, lm_eval_version: "0.4.13" },
};

async function evaluationsFolder(): Promise<string> {
  const folder = await temporaryFolder();
  await mkdir(join(folder, "quiz"));
  return folder;
}

describe("findEvaluation", () => {
  test("finds what was stored of the same model, asked the same", async () => {
    const folder = await evaluationsFolder();
    await writeEvaluation(folder, evaluation);
    expect(await findEvaluation(folder, "winner", evaluation)).toEqual(evaluation);
    expect(await findEvaluation(folder, "nature", evaluation)).toBeUndefined();
    expect(await findEvaluation(folder, "winner", { ...evaluation, arguments: [] })).toBeUndefined();
  });

  test("finds nothing of another merge whose weights are the same", async () => {
    const folder = await evaluationsFolder();
    await writeEvaluation(folder, evaluation);
    const other = { ...evaluation, recipe: { method: "passthrough", model: "craft" } };
    expect(await findEvaluation(folder, "winner", other)).toBeUndefined();
  });
});
