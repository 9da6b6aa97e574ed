import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import type { StackRecipe } from "../../src/merge/recipe.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import { tinyT5Config } from "../tiny-t5.ts";
import { tinyModel } from "../tiny-model.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { stackOf, writeStack } from "./stacked-model.ts";
import { distinctRecipes, openTinyFamily, randomPrompts, type TinyFamily } from "./tiny-family.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

/** What a folder scores by itself, and the digest of its weights. */
async function scoresAlone(folder: string): Promise<{ values: number[]; digest: string }> {
  await using checkpoint = await Checkpoint.open(folder);
  const model = openModel(checkpoint, "f32");
  checkWeights(model, checkpoint);
  await using parents = new ParentWeights(device, new Map([["only", checkpoint]]));
  const scorer = new GenerationScorer({ device, model, parents, base: "only", experts: [], batchTokens: 64 });
  const { logLikelihoods } = await scorer.score([{ method: "passthrough", model: "only" }], randomPrompts(9));
  const digest = new WeightsDigest();
  for (const [name, info] of checkpoint.tensors) await digest.add(info, await checkpoint.read(name));
  return { values: logLikelihoods[0]!.flatMap((own) => [...own]), digest: digest.digest() };
}

async function scoresOf(family: TinyFamily, recipes: readonly StackRecipe[]): Promise<number[][]> {
  const { logLikelihoods } = await family.scorer.score(recipes, randomPrompts(9));
  return logLikelihoods.map((values) => values.flatMap((own) => [...own]));
}

const recipes = [
  stackOf("base0 base1 base2"),
  stackOf("base0 a1*0.7 b2*1.3", "a"),
  stackOf("base0 a1*0.7 b2*1.3 a2*-0.25 a2*0", "a"),
  stackOf("b2", "b"),
];

describe.each([
  ["Llama", { layers: 3 }],
  ["Llama with biases and a tied head", { layers: 3, tied: true, config: { attention_bias: true, mlp_bias: true } }],
  ["Gemma", { layers: 3, tied: true, config: { model_type: "gemma", head_dim: 4, hidden_act: "gelu_pytorch_tanh" } }],
  ["Phi-3", { layers: 3, config: { model_type: "phi3" } }],
  [
    "Qwen2 with windows from a layer on",
    {
      layers: 3,
      config: { model_type: "qwen2", use_sliding_window: true, sliding_window: 4, max_window_layers: 1 },
    },
  ],
] as const)("stacks of %s", (_, model) => {
  test.each([true, false])("score as their folders do, to the last bit: parents resident %s", async (resident) => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(folder, device, { model, resident });
    const found = await scoresOf(family, recipes);
    for (const [i, recipe] of recipes.entries()) {
      const alone = await scoresAlone(await writeStack(join(folder, `stack ${i}`), family, recipe));
      expect(found[i]).toEqual(alone.values);
      const { digest } = await family.scorer.score([recipe], randomPrompts(2), { digestOf: 0 });
      expect(digest).toBe(alone.digest);
    }
  });
});

test("the parents' own layers in their order are the parent, to the last bit", async () => {
  await using family = await openTinyFamily(await temporaryFolder(), device, { model: { layers: 3 } });
  const copy = { method: "passthrough", model: "a" } as const;
  const { logLikelihoods } = await family.scorer.score([copy, stackOf("a0 a1 a2", "a")], randomPrompts(9));
  expect(logLikelihoods[1]).toEqual(logLikelihoods[0]);
});

test("stacks score the same among merges, and leave nothing on the device", async () => {
  const observed = new ObservedDevice(device);
  await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { layers: 3 } });
  const alone = await scoresOf(family, recipes);
  const { logLikelihoods } = await family.scorer.score([...distinctRecipes(2, 3), ...recipes], randomPrompts(9));
  expect(logLikelihoods.slice(2).map((values) => values.flatMap((own) => [...own]))).toEqual(alone);
  expect(observed.memory.bytes).toBe(0);
});

test("layers that stacks begin with alike are computed once, and a layer is read once where stacks take it nearby", async () => {
  const observed = new ObservedDevice(device);
  await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { layers: 3 } });
  const runs = async (own: readonly StackRecipe[]): Promise<number> => {
    const before = observed.counts.run;
    await scoresOf(family, own);
    return observed.counts.run - before;
  };
  const one = await runs([stackOf("a0 a1 a2 a0")]);
  // Embedding and two layers are shared.
  expect(await runs([stackOf("a0 a1 a2 a0"), stackOf("a0 a1 b2 a0")])).toBeLessThanOrEqual(2 * one - 3);
  const before = family.parents.bytesRead;
  await scoresOf(family, [stackOf("a0 a1 a1 a2"), stackOf("b0 b0 b1 b2")]);
  const all = [...family.checkpoints.values()].flatMap(({ tensors }) => [...tensors.values()]);
  expect(family.parents.bytesRead - before).toBe(all.reduce((sum, { bytes }) => sum + bytes, 0));
});

test("what a layer of a Gemma 2 adds is normalized, so that its layers are not restacked; nor are the two stacks of a T5", () => {
  const gemma2 = { model_type: "gemma2", head_dim: 4, query_pre_attn_scalar: 4, hidden_act: "gelu_pytorch_tanh" };
  expect(tinyModel({ config: gemma2 }).restacked).toBeUndefined();
  expect(tinyModel({ config: tinyT5Config() }).restacked).toBeUndefined();
});
