import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { methodNames } from "../../src/merge/declarations.ts";
import { stepAt, uniformRecipe, type Recipe } from "../../src/merge/recipe.ts";

const experts = ["a", "b"];
const recipe: Recipe = {
  method: "task_arithmetic",
  parameters: {
    weight: {
      mlp: { b: { layers: [1, 2], rest: 3 }, a: { layers: [4, 5], rest: 6 } },
      down_proj: { a: { layers: [7, 8], rest: 0 }, b: { layers: [9, 10], rest: 0 } },
      norm: { a: { layers: [0, 0], rest: 0.5 }, b: { layers: [0, 0], rest: -0.5 } },
    },
  },
};

describe("stepAt", () => {
  test.each([
    { weight: { name: "up_proj", tensor: "up_proj", group: "mlp", layer: 0 }, values: [4, 1] },
    { weight: { name: "up_proj", tensor: "up_proj", group: "mlp", layer: 1 }, values: [5, 2] },
    { weight: { name: "input_layernorm", tensor: "input_layernorm", group: "norm", layer: 1 }, values: [0, 0] },
    { weight: { name: "norm", tensor: "norm", group: "norm" }, values: [0.5, -0.5] },
    { weight: { name: "down_proj", tensor: "down_proj", group: "mlp", layer: 1 }, values: [8, 10] },
  ])("gives $values for $weight, those of its kind first, in the order of the experts", ({ weight, values }) => {
    expect(stepAt(recipe, weight, experts)).toEqual({ method: "task_arithmetic", values: { weight: values } });
  });

  test("passes passthrough on at every weight", () => {
    const passthrough: Recipe = { method: "passthrough", model: "a" };
    expect(stepAt(passthrough, { name: "lm_head", tensor: "lm_head", group: "embedding" }, experts)).toEqual(
      passthrough,
    );
  });

  test.each([
    {
      lacks: "the group",
      weight: { name: "q_proj", tensor: "q_proj", group: "attention", layer: 0 },
      names: experts,
      part: "weight.q_proj.a in layer 0",
    },
    {
      lacks: "the expert",
      weight: { name: "up_proj", tensor: "up_proj", group: "mlp", layer: 0 },
      names: ["c"],
      part: "weight.up_proj.c in layer 0",
    },
    {
      lacks: "the layer",
      weight: { name: "up_proj", tensor: "up_proj", group: "mlp", layer: 2 },
      names: experts,
      part: "weight.up_proj.a in layer 2",
    },
  ])("throws where the recipe lacks $lacks", ({ weight, names, part }) => {
    expect(() => stepAt(recipe, weight, names)).toThrow(`recipe: no value for ${part}`);
  });
});

describe("uniformRecipe", () => {
  test("gives each expert its weight at every weight of the model", () => {
    const layer = fc.option(fc.nat(3), { nil: undefined });
    const group = fc.constantFrom("attention", "mlp");
    fc.assert(
      fc.property(
        fc.constantFrom(...methodNames),
        fc.double(),
        fc.double(),
        layer,
        group,
        (method, a, b, layer, group) => {
          const uniform = uniformRecipe(method, { a, b }, [
            { name: "attention", layers: 4 },
            { name: "mlp", layers: 4 },
          ]);
          const at = { name: "any", tensor: "any", group, ...(layer !== undefined && { layer }) };
          expect(stepAt(uniform, at, ["b", "a"])).toEqual({ method, values: { weight: [b, a] } });
        },
      ),
    );
  });
});
