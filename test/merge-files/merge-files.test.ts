import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { mergeWeights } from "../../src/export/merge-weights.ts";
import { declarations, methodNames } from "../../src/merge/declarations.ts";
import { mergeFiles } from "../../src/merge-files/merge-files.ts";
import type { PlannedWeight } from "../../src/merge-files/plan.ts";
import { type Recipe, stepAt } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { experts as allExperts, openTinyFamily, recipeOf, type TinyFamily } from "../evaluate/tiny-family.ts";
import { temporaryFolder } from "../temporary-folder.ts";

/** The weights of a family as a recipe merges them. */
function planOf({ model, checkpoints }: TinyFamily, recipe: Recipe, experts: readonly string[]): PlannedWeight[] {
  return allWeights(model).map((weight) => {
    const { name, shape } = weight;
    const sourceOf = (model: string): { model: string; tensor: string } => ({ model, tensor: name });
    return {
      spec: { name, shape, dtype: checkpoints.get("base")!.tensors.get(name)!.dtype },
      base: sourceOf("base"),
      experts: experts.map(sourceOf),
      step: stepAt(recipe, weight, experts),
    };
  });
}

describe("mergeFiles", () => {
  let device: Device;
  beforeAll(async () => {
    device = await openGgml({ backend: "cpu" });
  });
  afterAll(() => device[Symbol.asyncDispose]());

  test.each(["passthrough", ...methodNames] as const)("%s has the bits of the device's merge", async (method) => {
    const folder = await temporaryFolder();
    await using family = await openTinyFamily(join(folder, "family"), device, { b: { dtype: "f16" } });
    const experts = method === "passthrough" ? allExperts : allExperts.slice(0, declarations[method].experts?.most);
    const curves = recipeOf(2, (layer, expert) => 0.3 + 0.2 * layer + 0.1 * expert).parameters["weight"]!;
    const recipe: Recipe =
      method === "passthrough"
        ? { method, model: "a" }
        : { method, parameters: Object.fromEntries(declarations[method].parameters.map(({ name }) => [name, curves])) };
    const source = { device, model: family.model, checkpoints: family.checkpoints, base: "base", experts };
    const expected = await mergeWeights(source, recipe, join(folder, "device"));
    const merged = await mergeFiles(planOf(family, recipe, experts), family.checkpoints, join(folder, "host"));
    expect(merged).toEqual(expected);
  });
});
