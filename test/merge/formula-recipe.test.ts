import { expect, test } from "vitest";
import { declarations } from "../../src/merge/declarations.ts";
import { formulaNumbers } from "../../src/merge/formula-numbers.ts";
import { formulaRecipe } from "../../src/merge/formula-recipe.ts";
import type { ParentFacts } from "../../src/merge/facts.ts";
import { stepAt, uniformRecipe } from "../../src/merge/recipe.ts";
import { allWeights } from "../../src/model/architecture.ts";
import type { Gram } from "../../src/tensor/gram.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { tinyModel } from "../tiny-model.ts";
import { tinyT5 } from "../tiny-t5.ts";

const experts = ["a", "b"];

/** Inner products of three random vectors, others for each weight. */
function gramFor(weight: string): Gram {
  const stream = RandomStream.of(1, weight);
  const vectors = ["base", ...experts].map(() => Array.from({ length: 5 }, () => stream.normal()));
  return vectors.map((x) => vectors.map((y) => x.reduce((sum, value, k) => sum + value * y[k]!, 0)));
}

function notAskedFor(): Promise<ParentFacts> {
  return Promise.reject(new Error("not asked for"));
}

test.each([
  ["a Llama", tinyModel({ layers: 3 })],
  ["a T5", tinyT5()],
])("every weight of %s has the numbers that its inner products give", async (_, model) => {
  const recipe = uniformRecipe("nuslerp", { a: 0.3, b: 0.9 }, model.groups);
  const weights = allWeights(model);
  const made = await formulaRecipe(recipe, weights, experts, (name) => Promise.resolve({ gram: gramFor(name) }));
  for (const weight of weights) {
    const { values } = formulaNumbers(declarations.nuslerp, { weight: [0.3, 0.9] }, { gram: gramFor(weight.name) });
    const { weight: _, ...factors } = values;
    expect(stepAt(made, weight, experts)).toEqual({ method: "nuslerp", values: factors });
  }
});

test("a weighted sum's own coefficients are its formula's", async () => {
  const recipe = uniformRecipe("linear", { a: 0.3, b: 0.7 }, tinyModel().groups);
  expect(await formulaRecipe(recipe, allWeights(tinyModel()), experts, notAskedFor)).toBe(recipe);
});
