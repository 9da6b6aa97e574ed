import * as fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { WeightsDigest } from "../../src/checkpoint/weights-digest.ts";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import type { Prompt } from "../../src/evaluate/pack.ts";
import { stepAt, type Recipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { referenceMerge, type Stored } from "../merge/reference-merge.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { ObservedDevice } from "./observed-device.ts";
import { distinctRecipes, experts, openTinyFamily, randomPrompts, recipeOf, type TinyFamily } from "./tiny-family.ts";

let device: Device;
beforeAll(async () => {
  device = await openGgml({ backend: "cpu" });
});
afterAll(() => device[Symbol.asyncDispose]());

describe("the forward pass", () => {
  test.each([Infinity, 4])(
    "packed and padded prompts score as each continuation does alone: window %d",
    async (window) => {
      const config = { model_type: "mistral", sliding_window: Number.isFinite(window) ? window : null };
      await using family = await openTinyFamily(await temporaryFolder(), device, { model: { config }, resident: true });
      const { model, parents } = family;
      expect(Object.values(model.windows)).toEqual([window]);
      const score = async (prompts: readonly Prompt[], batchTokens: number): Promise<number[]> => {
        const scorer = new GenerationScorer({ device, model, parents, base: "base", experts, batchTokens });
        const { logLikelihoods } = await scorer.score([recipeOf(2, () => 0.7)], prompts);
        return logLikelihoods[0]!.flatMap((values) => [...values]);
      };
      const settings = fc.record({ seed: fc.nat(), count: fc.integer({ min: 1, max: 5 }), batchTokens: fc.nat(80) });
      await fc.assert(
        fc.asyncProperty(settings, async ({ seed, count, batchTokens }) => {
          const prompts = randomPrompts(count, { seed });
          const alone: number[] = [];
          for (const { context, continuations } of prompts) {
            for (const own of continuations) alone.push(...(await score([{ context, continuations: [own] }], 1)));
          }
          for (const [i, value] of (await score(prompts, batchTokens)).entries()) {
            expect(Math.abs(value - alone[i]!)).toBeLessThan(1e-5 * Math.max(1, Math.abs(value)));
          }
        }),
        { numRuns: 12 },
      );
    },
  );
});

describe("a generation", () => {
  test.each([
    { precision: "f32", hidden: 16 },
    { precision: "bf16", hidden: 16 },
    // Rows of whole vectors, which ggml's fast products need.
    { precision: "bf16", hidden: 64 },
  ] as const)(
    "gives a candidate the same bits whatever else is in it, in any order: $precision, hidden size $hidden",
    async ({ precision, hidden }) => {
      const options = { model: { layers: 3, hidden }, precision };
      await using family = await openTinyFamily(await temporaryFolder(), device, options);
      const prompts = randomPrompts(5);
      const forked = [0.1, 0.9].map((late) => recipeOf(3, (layer) => (layer < 2 ? 0.5 : late)));
      const pool: Recipe[] = [...distinctRecipes(2, 3), ...forked, { method: "passthrough", model: "b" }];
      const alone: (readonly Float64Array[])[] = [];
      for (const recipe of pool) alone.push((await family.scorer.score([recipe], prompts)).logLikelihoods[0]!);
      expect(new Set(alone.map(String)).size).toBe(pool.length);

      const drawn = fc.array(fc.nat(pool.length - 1), { minLength: 1, maxLength: 7 });
      await fc.assert(
        fc.asyncProperty(drawn, async (members) => {
          const recipes = members.map((member) => pool[member]!);
          const { logLikelihoods } = await family.scorer.score(recipes, prompts);
          expect(logLikelihoods).toEqual(members.map((member) => alone[member]));
        }),
        { numRuns: 15 },
      );
    },
  );

  test.each([
    // One run for the embedding, one for each layer that all share, then one for each candidate, the head included.
    { what: "differ from layer 0 on", forks: [0, 0, 0], runs: 1 + 3 * (6 + 1) },
    { what: "agree on layers 0 to 3", forks: [4, 4, 4], runs: 1 + 4 + 3 * (2 + 1) },
    { what: "are equal", forks: [6, 6, 6], runs: 1 + 6 + 1 },
    { what: "leave the others one after another", forks: [1, 3, 6], runs: 1 + (1 + 2 + 2 + 3 + 3 + 3) + 3 },
  ])("runs candidates that $what only as often as they differ", async ({ forks, runs }) => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed, { model: { layers: 6 } });
    const recipes = forks.map((fork, i) => recipeOf(6, (layer) => (layer < fork ? 0.5 : 0.6 + i / 10)));
    await family.scorer.score(recipes, randomPrompts(3));
    expect(observed.counts.run).toBe(runs);
  });

  test("tells its progress stage by stage", async () => {
    await using family = await openTinyFamily(await temporaryFolder(), device);
    const shares: number[] = [];
    await family.scorer.score(distinctRecipes(2, 2), randomPrompts(1), { onProgress: (share) => shares.push(share) });
    expect(shares).toEqual([0.25, 0.5, 0.75, 1]);
  });
});

describe("the digest of a generation", () => {
  test.each([
    { tied: false, dtype: "bf16" },
    { tied: true, dtype: "bf16" },
    { tied: true, dtype: "f16" },
    { tied: false, dtype: "f32" },
  ] as const)("is that of the merged weights: tied $tied, $dtype", async ({ tied, dtype }) => {
    await using family = await openTinyFamily(await temporaryFolder(), device, { model: { tied, dtype } });
    const linear = recipeOf(2, (layer, expert) => 0.4 + 0.1 * (layer + expert), "linear");
    const recipes: Recipe[] = [...distinctRecipes(2, 2), linear, linear, { method: "passthrough", model: "a" }];
    for (const [candidate, recipe] of recipes.entries()) {
      const { digest } = await family.scorer.score(recipes, randomPrompts(1), { digestOf: candidate });
      expect(digest).toBe(await digestOf(family, recipe));
    }
  });

  test("costs the scores no bit and the device no byte", async () => {
    const observed = new ObservedDevice(device);
    await using family = await openTinyFamily(await temporaryFolder(), observed);
    const recipes = distinctRecipes(3, 2);
    const prompts = randomPrompts(3);
    await family.scorer.score(recipes, prompts, { digestOf: 1 });
    const { bytes } = device.memory;
    const plain = await family.scorer.score(recipes, prompts);
    expect(plain).not.toHaveProperty("digest");
    const hashed = await family.scorer.score(recipes, prompts, { digestOf: 1 });
    expect(hashed.logLikelihoods).toEqual(plain.logLikelihoods);
    expect(device.memory.bytes).toBe(bytes);
  });
});

/** Digest of the merge in exact f32 arithmetic on the host. */
async function digestOf({ model, checkpoints }: TinyFamily, recipe: Recipe): Promise<string> {
  const digest = new WeightsDigest();
  for (const weight of allWeights(model)) {
    const stored: Record<string, Stored> = {};
    for (const [name, checkpoint] of checkpoints) {
      stored[name] = { dtype: checkpoint.tensors.get(weight.name)!.dtype, bytes: await checkpoint.read(weight.name) };
    }
    const { base, ...others } = stored;
    const bytes = referenceMerge(base!, others, stepAt(recipe, weight, experts));
    await digest.add({ name: weight.name, dtype: base!.dtype, shape: weight.shape }, bytes);
  }
  return digest.digest();
}
