import { join } from "node:path";
import { expect, test } from "vitest";
import { ParentWeights } from "../../src/evaluate/parent-weights.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import { mergeWeights } from "../../src/export/merge-weights.ts";
import { declarations } from "../../src/merge/declarations.ts";
import type { MergeRecipe } from "../../src/merge/recipe.ts";
import { testedEngines } from "../device/tested-engines.ts";
import { methodsOfFacts } from "../merge/method-kinds.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { experts, openTinyFamily, randomPrompts, recipeOf, weightsOptions } from "./tiny-family.ts";

test.each(methodsOfFacts)(
  "%s has the same bits on every engine, while it is scored and when it is exported",
  async (method) => {
    const folder = await temporaryFolder();
    const merged = experts.slice(0, declarations[method].experts?.most);
    const curves = recipeOf(2, (layer, expert) => 0.3 + 0.2 * layer + 0.1 * expert).parameters["weight"]!;
    const parameters = Object.fromEntries(declarations[method].parameters.map(({ name }) => [name, curves]));
    const recipe: MergeRecipe = { method, parameters };
    const digests: unknown[] = [];
    for (const [name, open] of testedEngines) {
      await using device = await open();
      await using family = await openTinyFamily(join(folder, name), device);
      const checkpoints = new Map([...family.checkpoints].filter(([parent]) => parent !== "b" || merged.includes("b")));
      for (const resident of [true, false]) {
        await using parents = new ParentWeights(device, checkpoints, weightsOptions(resident));
        const merging = { device, model: family.model, parents, base: "base", experts: merged };
        const scorer = new GenerationScorer({ ...merging, batchTokens: 64 });
        // Parents that stay are there already when inner products are asked for.
        const copy = { method: "passthrough", model: "a" } as const;
        await scorer.score([copy], randomPrompts(2));
        const { digest } = await scorer.score([copy, recipe], randomPrompts(3), { digestOf: 1 });
        digests.push(digest);
      }
      const source = { device, model: family.model, checkpoints, base: "base", experts: merged };
      const place = await temporaryFolder();
      digests.push((await mergeWeights(source, recipe, place)).digest);
    }
    expect(digests).toHaveLength(6);
    expect(digests[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(new Set(digests).size).toBe(1);
  },
);
