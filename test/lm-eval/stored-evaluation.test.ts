import { readFileSync, writeFileSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import {
  findEvaluation,
  readEvaluations,
  type StoredEvaluation,
  writeEvaluation,
} from "../../src/lm-eval/stored-evaluation.ts";
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

describe("writeEvaluation", () => {
  test.each([
    ["that is no JSON", "numbers of mine\n"],
    ["with JSON of another form", '{"acc": 0.5}\n'],
    ["that is an evaluation with something added", JSON.stringify({ ...evaluation, note: "mine" })],
    ["that was cut", JSON.stringify(evaluation).slice(0, -1)],
  ])("leaves a file %s as it is", async (_, content) => {
    const folder = await evaluationsFolder();
    const path = join(folder, "quiz", "winner.json");
    writeFileSync(path, content);
    await writeEvaluation(folder, evaluation);
    expect(readFileSync(path, "utf8")).toBe(content);
    expect(await findEvaluation(folder, "winner", evaluation)).toEqual(evaluation);
  });

  test("leaves a link as it is, wherever it leads", async () => {
    const folder = await evaluationsFolder();
    await symlink("elsewhere.json", join(folder, "quiz", "winner.json"));
    await writeEvaluation(folder, evaluation);
    expect((await readdir(join(folder, "quiz"))).toSorted()).toEqual(["winner.2.json", "winner.json"]);
    expect(await readEvaluations(folder)).toEqual([evaluation]);
  });

  test("keeps an earlier one and all that are written at once", async () => {
    const folder = await evaluationsFolder();
    await writeEvaluation(folder, evaluation);
    const others = ["b", "c", "d", "e"].map((weights) => ({ ...evaluation, weights }));
    await Promise.all(others.map((other) => writeEvaluation(folder, other)));
    const stored = await readEvaluations(folder);
    expect(stored.map(({ weights }) => weights).toSorted()).toEqual(["a", "b", "c", "d", "e"]);
  });
});
