import { describe, expect, test } from "vitest";
import { starterKitModule } from "../../src/export/starter-kit/starter-kit-module.ts";
import type { WeightwiseRecipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import { methodsByColumn } from "../merge/method-kinds.ts";
import { tinyModel } from "../tiny-model.ts";
import { recipeWithColumns } from "./recipe-with-columns.ts";

const model = tinyModel({ hidden: 64 });
const reference = { name: "org/model", revision: "0".repeat(40) };

function moduleOf(recipe: WeightwiseRecipe): string {
  return starterKitModule({
    className: "TinyMerge",
    method: "tiny_merge",
    recipe,
    base: reference,
    experts: ["nature", "craft"].map((name) => ({ name, reference })),
    weights: allWeights(model).map((weight) => ({ ...weight, dtype: "bf16" })),
    model,
    version: "1.2.3",
  });
}

describe("the starter kit's module of a merge with coefficients of columns", () => {
  test.each(methodsByColumn)("by %s holds those of each tensor and expert as they are in the recipe", (method) => {
    const recipe = recipeWithColumns(method, ["nature", "craft"], model);
    const text = moduleOf(recipe);
    const table = text.slice(text.indexOf("COLUMNS = {\n"), text.indexOf("\n# Name, group"));
    const row = /^ {8}"(.*)": \{\n {12}"nature": """([^"]+)""",\n {12}"craft": """([^"]+)""",\n/gm;
    const found = Array.from(table.matchAll(row), ([, name = "", ...packed]) => {
      const [nature, craft] = packed.map((lines) => lines.replaceAll("\n", ""));
      return [name, { nature, craft }] as const;
    });
    expect(Object.fromEntries(found)).toEqual(recipe.columns["weight"]);
    expect(text).toContain("import base64\n");
    expect(text).toContain('weights = coefficients("weight", name, group, layer)');
    expect(text).toMatch(/^[\n\x20-\x7e]*$/);
    expect(Math.max(...text.split("\n").map(({ length }) => length))).toBeLessThanOrEqual(130);
  });

  test("leaves that of any other merge without a table of them", () => {
    const { method, parameters } = recipeWithColumns("linear", ["nature", "craft"], model);
    expect(moduleOf({ method, parameters })).not.toMatch(/COLUMNS|base64/);
  });

  test("is not written where an expert lacks them", () => {
    const recipe = recipeWithColumns("linear", ["nature"], model);
    const { weight } = recipeWithColumns("linear", ["nature", "craft"], model).parameters;
    expect(() => moduleOf({ ...recipe, parameters: { weight: weight! } })).toThrow(
      "starter kit: the recipe has no columns of model.embed_tokens.weight for craft",
    );
  });
});
