import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseYaml } from "../../src/config/load-yaml.ts";
import { mergekitConfig } from "../../src/export/mergekit-config.ts";
import { declarationOf, declarations, methodNames } from "../../src/merge/declarations.ts";
import type { ParameterSpec } from "../../src/merge/method.ts";
import { type Curve, type MergeRecipe, stepAt } from "../../src/merge/recipe.ts";
import type { ModelHeader } from "../../src/mergekit/model-places.ts";
import { planMerge } from "../../src/mergekit/plan-merge.ts";
import { checkMergekitRecipe, loadMergekitRecipe, mergekitRecipeSchema } from "../../src/mergekit/recipe-file.ts";
import { recipeText } from "../../src/mergekit/recipe-text.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { tinyConfig, tinyModel } from "../tiny-model.ts";
import { tinyT5, tinyT5Config } from "../tiny-t5.ts";
import { headerOf, planned } from "./headers.ts";
import { recipeKinds, recipes } from "./recipe-models.ts";

const BASE = "/models/base";
const experts = ["a", "b", "c"].map((name) => ({ name, path: `/models/${name}` }));

/** Every value another one, of those that a search visits. */
function recipeOf(method: MergeRecipe["method"], { groups }: Model, names: readonly string[]): MergeRecipe {
  let next = 0;
  const curvesIn = ({ per, range: [low, high] }: ParameterSpec): object => {
    const value = (): number => low + (next = (next + 0.37) % 1) * (high - low);
    const curve = (layers: number): Curve => ({ layers: Array.from({ length: layers }, value), rest: value() });
    return Object.fromEntries(
      groups.map(({ name, layers }) => {
        const shared = curve(layers);
        return [name, Object.fromEntries(names.map((expert) => [expert, per === "model" ? shared : curve(layers)]))];
      }),
    );
  };
  const parameters = declarationOf(method).parameters.map((spec) => [spec.name, curvesIn(spec)]);
  return { method, parameters: Object.fromEntries(parameters) as MergeRecipe["parameters"] };
}

const models: Readonly<Record<string, readonly [Model, ModelHeader]>> = {
  llama: [tinyModel({ layers: 3 }), headerOf(tinyModel({ layers: 3 }), tinyConfig({ layers: 3 }))],
  t5: [tinyT5(), headerOf(tinyT5(), tinyT5Config())],
};

describe("what is written for mergekit", () => {
  test.each(methodNames.flatMap((method) => Object.keys(models).map((kind) => [method, kind] as const)))(
    "is read as the same merge: %s of a %s",
    (method, kind) => {
      const [model, header] = models[kind]!;
      const own = experts
        .slice(0, Math.max(2, declarations[method].experts?.least ?? 1))
        .slice(0, declarations[method].experts?.most);
      const names = own.map(({ name }) => name);
      const recipe = recipeOf(method, model, names);
      const experiment = { name: "round trip", base: BASE, experts: own };
      const text = mergekitConfig({ experiment, recipe, model, baseDtype: "bf16" });
      const headers = new Map([BASE, ...own.map(({ path }) => path)].map((path) => [path, header]));
      const { weights } = planMerge(parseYaml(text, "merge.yml", mergekitRecipeSchema), headers);
      expect(weights).toHaveLength(allWeights(model).length);
      for (const weight of allWeights(model)) {
        const found = planned(weights, weight.name);
        expect({ name: weight.name, step: found.step }).toEqual({
          name: weight.name,
          step: stepAt(recipe, weight, names),
        });
        expect(found.experts.map(({ model: path }) => path)).toEqual(own.map(({ path }) => path));
        expect(found.base?.model).toBe(declarations[method].needsBase ? BASE : undefined);
      }
    },
  );
});

describe("recipeText", () => {
  test.each(recipeKinds.flatMap((kind) => readdirSync(join(recipes, kind)).map((file) => join(kind, file))))(
    "is read as the same recipe: %s",
    async (file) => {
      const recipe = await loadMergekitRecipe(join(recipes, file));
      expect(parseYaml(recipeText(recipe), "merge.yml", mergekitRecipeSchema)).toEqual(recipe);
    },
  );

  test("keeps models whose paths have signs of their own, and gives others in their place", () => {
    const recipe = checkMergekitRecipe({
      merge_method: "passthrough",
      tokenizer_source: "union",
      models: [{ model: { model: { path: "/a@b", revision: "c" }, lora: { path: "d+e" } } }],
    });
    expect(parseYaml(recipeText(recipe), "merge.yml", mergekitRecipeSchema)).toEqual(recipe);
    const elsewhere = parseYaml(
      recipeText(recipe, (path) => path.replaceAll(/[/@+]/g, "")),
      "merge.yml",
      mergekitRecipeSchema,
    );
    expect(elsewhere.models).toEqual([{ model: { path: "ab", revision: "c", adapter: { path: "de" } } }]);
  });
});
