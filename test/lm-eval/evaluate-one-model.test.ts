import { cpSync, existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluateModels } from "../../src/lm-eval/evaluate-models.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { writeTinyExperiment } from "../tiny-experiment.ts";
import { writeFakeLmEval } from "./fake-lm-eval.ts";

let models: string;
beforeAll(async () => {
  models = await mkdtemp(join(tmpdir(), "evomerge-"));
  await writeTinyExperiment(models);
});
afterAll(() => rm(models, { recursive: true, force: true }));

describe("evaluateModels of a model", () => {
  test("stores beside its folder, which stays as it is", async () => {
    const folder = await temporaryFolder();
    const { python } = await writeFakeLmEval(folder);
    const model = join(folder, "model");
    cpSync(join(models, "base"), model, { recursive: true });
    const before = readdirSync(model);
    const evaluated = await evaluateModels(model, { task: "quiz", python });
    expect(evaluated.folder).toBe(join(folder, "model.lm_eval"));
    expect(evaluated.benchmark.models).toMatchObject([{ name: "model", kind: "model", source: model }]);
    expect(existsSync(join(evaluated.folder, "quiz", "model.json"))).toBe(true);
    expect(readdirSync(model)).toEqual(before);
  });

  test("tells of the weights that are there, also when they were evaluated before others", async () => {
    const folder = await temporaryFolder();
    const { python, calls } = await writeFakeLmEval(folder);
    const model = join(folder, "model");
    const evaluateAs = async (name: string): Promise<number | undefined> => {
      cpSync(join(models, name), model, { recursive: true });
      const { benchmark } = await evaluateModels(model, { task: "quiz", python });
      return benchmark.models[0]?.seconds;
    };
    const seconds = await evaluateAs("base");
    expect(await evaluateAs("nature")).not.toBe(seconds);
    expect(await evaluateAs("base")).toBe(seconds);
    expect(calls()).toHaveLength(2);
  });

  test("refuses a folder that is neither a run nor a model, and one that lm_eval cannot be told of", async () => {
    const folder = await temporaryFolder();
    const { python } = await writeFakeLmEval(folder);
    const fault = "with journal.jsonl, or of a model, with config.json";
    await expect(evaluateModels(folder, { python })).rejects.toThrow(fault);
    const comma = join(folder, "a,b");
    cpSync(join(models, "base"), comma, { recursive: true });
    await expect(evaluateModels(comma, { python })).rejects.toThrow("lm_eval takes a comma, = or { in a path");
  });
});
