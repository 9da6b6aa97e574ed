import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { promptsOf } from "../../src/evaluate/prompt.ts";
import type { EngineName } from "../../src/device/engine-names.ts";
import { BASE } from "../../src/experiment/the-base.ts";
import { openWorkspace } from "../../src/experiment/workspace.ts";
import { uniformRecipe, type Recipe } from "../../src/merge/recipe.ts";
import { readRows } from "../../src/tasks/rows.ts";

const demo = join(import.meta.dirname, "..", "..", "experiments", "demo");
const experts = ["nature", "craft", "news"];
const rows = (
  await Promise.all(["cosmosqa", "xsum"].map((task) => readRows(join(demo, `${task}.guard.jsonl`))))
).flatMap((own) => own.slice(0, 12));

/** Log-likelihoods of every answer to every row: the base, then a merge of all experts. */
async function logLikelihoods(engine: EngineName): Promise<number[][]> {
  await using workspace = await openWorkspace({
    base: join(demo, "base"),
    experts: experts.map((name) => ({ name, path: join(demo, name) })),
    engine,
    precision: "f32",
  });
  const { device, model, weights, tokenizer } = workspace;
  const scorer = new GenerationScorer({ device, model, parents: weights, base: BASE, experts, batchTokens: 512 });
  const recipes: Recipe[] = [
    { method: "passthrough", model: BASE },
    uniformRecipe("task_arithmetic", { nature: 0.9, craft: 0.7, news: 0.6 }, model.groups),
  ];
  const tokenised = await tokenizer.encode(rows);
  const prompts = rows.flatMap((row, i) => promptsOf(row, tokenised[i]!, model).prompts);
  const { logLikelihoods } = await scorer.score(recipes, prompts);
  return logLikelihoods.map((byPrompt) => byPrompt.flatMap((values) => [...values]));
}

describe("the engines", () => {
  test("agree in f32 on the log-likelihood of every answer to within 1e-4 nats", async () => {
    const [ggml, tfjs] = [await logLikelihoods("ggml"), await logLikelihoods("tfjs")];
    // What makes it f32 on a GPU, too.
    expect(process.env["NVIDIA_TF32_OVERRIDE"]).toBe("0");
    expect(ggml.map(({ length }) => length)).toEqual([60, 60]);
    expect(ggml[0]).not.toEqual(ggml[1]);
    for (const [model, values] of ggml.entries()) {
      for (const [i, value] of values.entries()) expect(Math.abs(value - tfjs[model]![i]!)).toBeLessThan(1e-4);
    }
  });
});
