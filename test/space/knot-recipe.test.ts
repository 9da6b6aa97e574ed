import { describe, expect, test } from "vitest";
import { parseYaml } from "../../src/config/load-yaml.ts";
import { stepAt } from "../../src/merge/recipe.ts";
import type { ModelGroup } from "../../src/model/architecture.ts";
import { buildGenome } from "../../src/space/genome.ts";
import { knotRecipeSchemaWith, recipeOver } from "../../src/space/knot-recipe.ts";
import { searchSpaceSchemaWith } from "../../src/space/search-space.ts";
import { tinyModel } from "../tiny-model.ts";

const slerp = parseYaml(
  `
method: linear
weight:
  one: { attention: [1, 0.5, 0.7, 0.3, 0], mlp: [0, 0.5, 0.3, 0.7, 1], rest: 0.5 }
  two: { attention: [0, 0.5, 0.3, 0.7, 1], mlp: [1, 0.5, 0.7, 0.3, 0], rest: 0.5 }
`,
  "recipe.yaml",
  knotRecipeSchemaWith(),
);

function groupsOver(layers: number): readonly ModelGroup[] {
  return tinyModel({ layers }).groups;
}

describe("recipeOver", () => {
  test("draws straight lines between the knots, of which the first and the last are the outermost layers", () => {
    const { attention } = recipeOver(groupsOver(9), slerp).parameters["weight"]!;
    const expected = [1, 0.75, 0.5, 0.6, 0.7, 0.5, 0.3, 0.15, 0];
    for (const [l, value] of attention!["one"]!.layers.entries()) expect(value).toBeCloseTo(expected[l]!, 15);
    expect(recipeOver(groupsOver(32), slerp).parameters["weight"]!["mlp"]!["two"]!.layers.at(-1)).toBe(0);
  });

  test("gives unnamed groups the rest, and weights outside the layers the mean over them", () => {
    const { norm, embedding } = recipeOver(groupsOver(3), slerp).parameters["weight"]!;
    expect(norm).toEqual({ one: { layers: [0.5, 0.5, 0.5], rest: 0.5 }, two: { layers: [0.5, 0.5, 0.5], rest: 0.5 } });
    expect(embedding).toEqual({ one: { layers: [], rest: 0.5 }, two: { layers: [], rest: 0.5 } });
    const text = "{ method: linear, weight: { a: [0, 1], b: 0.25 } }";
    const recipe = recipeOver(groupsOver(3), parseYaml(text, "recipe.yaml", knotRecipeSchemaWith()));
    expect(stepAt(recipe, { name: "up_proj", tensor: "up_proj", group: "mlp", layer: 2 }, ["a", "b"]).method).toBe(
      "linear",
    );
    expect(stepAt(recipe, { name: "up_proj", tensor: "up_proj", group: "mlp", layer: 2 }, ["a", "b"])).toMatchObject({
      values: { weight: [1, 0.25] },
    });
    expect(stepAt(recipe, { name: "lm_head", tensor: "lm_head", group: "embedding" }, ["a", "b"])).toMatchObject({
      values: { weight: [0.5, 0.25] },
    });
  });

  test.each([1, 2, 32])("keeps complements at a sum of 1 over %i layers", (layers) => {
    for (const { one, two } of Object.values(recipeOver(groupsOver(layers), slerp).parameters["weight"]!)) {
      expect(one!.rest + two!.rest).toBeCloseTo(1, 15);
      for (const [l, value] of one!.layers.entries()) expect(value + two!.layers[l]!).toBeCloseTo(1, 15);
    }
  });

  test("is a point of a search space with as many knots", () => {
    const text = "{ method: linear, groups: [[attention], [mlp], [norm, embedding]], depth: { knots: 5 } }";
    const space = parseYaml(text, "space.yaml", searchSpaceSchemaWith());
    const genome = buildGenome(space, { experts: ["one", "two"], model: tinyModel({ layers: 32 }) });
    const recipe = recipeOver(groupsOver(32), slerp);
    const point = genome.encode(recipe);
    for (const [i, value] of [1, 0.5, 0.7, 0.3, 0, 0, 0.5, 0.3, 0.7, 1].entries())
      expect(point[i]).toBeCloseTo(value, 12);
    const { attention } = genome.decode(point).parameters["weight"]!;
    for (const [l, value] of recipe.parameters["weight"]!["attention"]!["two"]!.layers.entries()) {
      expect(attention!["two"]!.layers[l]).toBeCloseTo(value, 12);
    }
  });
});
