import { describe, expect, test } from "vitest";
import { stepAt } from "../../src/merge/recipe.ts";
import { recipeOfParents } from "../../src/mergekit/parent-recipe.ts";
import { planMerge } from "../../src/mergekit/plan-merge.ts";
import { checkMergekitRecipe, type MergekitRecipeInput } from "../../src/mergekit/recipe-file.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { buildGenome } from "../../src/space/genome.ts";
import { searchSpaceSchemaWith } from "../../src/space/search-space.ts";
import { tinyModel } from "../tiny-model.ts";
import { tinyT5, tinyT5Config } from "../tiny-t5.ts";
import { headerOf, llamas, planned } from "./headers.ts";

const model = tinyModel({ layers: 3 });
const experts = ["a", "b"];
const parents = { base: "base", experts, model };

const gradient: MergekitRecipeInput = {
  merge_method: "task_arithmetic",
  base_model: "base",
  models: [
    { model: "b", parameters: { weight: [0, 1] } },
    { model: "a", parameters: { weight: [{ filter: "mlp", value: 0.3 }, { value: 0.7 }] } },
  ],
};

describe("recipeOfParents", () => {
  test("has the coefficients of every weight, by expert", () => {
    const recipe = recipeOfParents(gradient, parents);
    const { weights } = planMerge(checkMergekitRecipe(gradient), llamas(["base", ...experts], { layers: 3 }));
    for (const weight of allWeights(model)) {
      const { step, experts: sources } = planned(weights, weight.name);
      const found = stepAt(recipe, weight, experts);
      const values = "values" in step ? (step.values["weight"] ?? []) : [];
      const byName = Object.fromEntries(sources.map((source, i) => [source.model, values[i]]));
      expect({ name: weight.name, found }).toEqual({
        name: weight.name,
        found: { method: "task_arithmetic", values: { weight: [byName["a"], byName["b"]] } },
      });
    }
  });

  test("has a point near it in a search space that tells groups apart", () => {
    const space = searchSpaceSchemaWith().parse({
      method: "task_arithmetic",
      groups: [["attention"], ["mlp"], ["norm", "embedding"]],
      depth: "per-layer",
      parameters: { weight: { range: [0, 1] } },
    });
    const genome = buildGenome(space, { experts, model });
    const recipe = recipeOfParents(gradient, parents);
    if (recipe.method !== "task_arithmetic") throw new Error("no merge");
    const { weight } = genome.decode(genome.encode(recipe)).parameters;
    expect(weight?.["mlp"]?.["a"]?.layers).toEqual([0.3, 0.3, 0.3].map((value) => expect.closeTo(value, 6)));
    expect(weight?.["mlp"]?.["b"]?.layers).toEqual([0, 0.5, 1].map((value) => expect.closeTo(value, 6)));
  });

  test("leaves out an expert by a weight of 0, and copies a parent as it is", () => {
    const one = { ...gradient, models: [{ model: "b", parameters: { weight: 1 } }] };
    expect(stepAt(recipeOfParents(one, parents), allWeights(model)[0]!, experts)).toMatchObject({
      values: { weight: [0, 1] },
    });
    const copy = { merge_method: "passthrough", models: [{ model: "b" }] };
    expect(recipeOfParents(copy, parents)).toEqual({ method: "passthrough", model: "b" });
  });

  test("knows the modules of a T5", () => {
    const t5 = { base: "base", experts, model: tinyT5() };
    const recipe = recipeOfParents(gradient, t5);
    const headers = new Map(["base", ...experts].map((name) => [name, headerOf(tinyT5(), tinyT5Config())]));
    const { weights } = planMerge(checkMergekitRecipe(gradient), headers);
    for (const weight of allWeights(t5.model)) {
      const { step } = planned(weights, weight.name);
      const values = "values" in step ? (step.values["weight"] ?? []) : [];
      expect(stepAt(recipe, weight, experts)).toMatchObject({ values: { weight: values.toReversed() } });
    }
  });

  test.each<[string, MergekitRecipeInput]>([
    [
      "its layers are others than the base's",
      {
        merge_method: "passthrough",
        slices: [
          { sources: [{ model: "a", layer_range: [0, 3] }] },
          { sources: [{ model: "a", layer_range: [1, 2] }] },
        ],
      },
    ],
    [
      "it copies weights of several models, or scales them",
      { merge_method: "passthrough", models: [{ model: "a" }], parameters: { scale: 0.5 } },
    ],
    [
      "its base is a, and that of the experiment base",
      { merge_method: "slerp", base_model: "a", models: [{ model: "b" }], parameters: { t: 0.5 } },
    ],
    [
      "it takes the base for an expert",
      { merge_method: "linear", models: [{ model: "a" }, { model: "base" }], parameters: { weight: 1 } },
    ],
    [
      "its options at model.layers.0.self_attn.q_proj.weight are others than at model.embed_tokens.weight",
      {
        merge_method: "nuslerp",
        models: [{ model: "a" }, { model: "b" }],
        parameters: { weight: 1, nuslerp_flatten: [{ filter: "q_proj", value: false }, { value: true }] },
      },
    ],
    [
      "it leaves out b, and slerp merges all experts of an experiment",
      { merge_method: "slerp", base_model: "base", models: [{ model: "a" }], parameters: { t: 0.5 } },
    ],
  ])("refuses what no search scores: %s", (message, recipe) => {
    expect(() => recipeOfParents(recipe, parents)).toThrow(message);
  });
});
