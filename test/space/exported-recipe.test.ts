import { expect, test } from "vitest";
import { type Curves, type MergeRecipe, type Recipe, sameEverywhere } from "../../src/merge/recipe.ts";
import { pack } from "../../src/tensor/packed.ts";
import { exportedRecipe } from "../../src/space/exported-recipe.ts";
import { tinyModel } from "../tiny-model.ts";

const model = tinyModel({ layers: 3 });
const parents = { base: "base", experts: ["a", "b"], model };

/** A merge of the parents, for as many layers. */
function mergeOver(layers: number, experts: Readonly<Record<string, number>> = { a: 0.5, b: 0.2 }): MergeRecipe {
  const groups = model.groups.map(({ name, isLayered }) => ({ name, layers: isLayered ? layers : 0 }));
  return { method: "linear", parameters: { weight: sameEverywhere(experts, groups) } };
}

function withoutGroup(group: string): Curves {
  const { [group]: _, ...others } = mergeOver(3).parameters["weight"]!;
  return others;
}

test("an exported recipe is a merge of parents of its names, whatever their order", () => {
  for (const recipe of [
    mergeOver(3),
    mergeOver(3, { b: 1, a: 0 }),
    { method: "passthrough", model: "b" },
    { method: "karcher", parameters: {} },
    { method: "stack", layers: [{ model: "a", layer: 2, scale: 1 }], rest: "base" },
  ] satisfies Recipe[]) {
    expect(exportedRecipe(recipe, parents)).toBe(recipe);
  }
});

test.each<[string, Recipe, string]>([
  ["fewer layers", mergeOver(2), "expected values for 3 layers, found 2; take a model of its depth"],
  ["more layers", mergeOver(4), "expected values for 3 layers, found 4"],
  ["an expert less", mergeOver(3, { a: 1 }), "expected values for a, b, found some for a;"],
  ["an expert more", mergeOver(3, { a: 1, b: 1, c: 1 }), "expected values for a, b, found some for a, b, c;"],
  ["other experts", mergeOver(3, { a: 1, c: 1 }), "found some for a, c; name the experts as in its run"],
  [
    "no values",
    { method: "linear", parameters: {} },
    "expected values of weight, which linear takes, found those of none",
  ],
  [
    "a value beyond the method",
    { method: "sce", parameters: { select_topk: mergeOver(3, { a: 1, b: 2 }).parameters["weight"]! } },
    "select_topk at model.embed_tokens.weight: expected a value from 0.001 to 1 for b, found 2",
  ],
  [
    "a group less",
    { method: "linear", parameters: { weight: withoutGroup("mlp") } },
    "weight: expected values for the group mlp, which model.layers.0.mlp.gate_proj.weight is of, or for its kind, gate_proj; found those for attention, ",
  ],
  ["another method", { ...mergeOver(3), method: "slerp" }, "the method slerp merges 1 expert, and there are 2"],
  ["another model", { method: "passthrough", model: "c" }, "it is the model c; expected one of base, a, b"],
  ["a deeper stack", { method: "stack", layers: [{ model: "a", layer: 3, scale: 1 }], rest: "a" }, "it stacks layers"],
  [
    "other columns",
    { ...mergeOver(3), columns: { weight: { w: { a: pack(Float32Array.of(1)) } } } },
    "its coefficients by column are not those",
  ],
])("an exported recipe is refused that has %s", (_, recipe, message) => {
  expect(() => exportedRecipe(recipe, parents)).toThrow(message);
});
