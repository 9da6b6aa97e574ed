import { factorsOf } from "./combination.ts";
import { declarations, needsGram } from "./declarations.ts";
import type { Gram } from "../tensor/gram.ts";
import { type Curve, type MergeRecipe, type WeightwiseRecipe, type RecipePlace, stepAt } from "./recipe.ts";

/** A curve in the making. */
interface Values extends Curve {
  readonly layers: number[];
  rest: number;
}

/**
 * A recipe with the numbers that the method's formula takes at every weight, as curves of kinds of tensors, for whoever
 * computes the formula without the inner products that they follow from.
 */
export async function formulaRecipe(
  recipe: WeightwiseRecipe,
  weights: readonly RecipePlace[],
  experts: readonly string[],
  measure: (weight: string) => Promise<Gram>,
): Promise<WeightwiseRecipe> {
  if (recipe.method === "passthrough" || !needsGram(recipe)) return recipe;
  const parameters: Record<string, Record<string, Record<string, Values>>> = {};
  for (const weight of weights) {
    const step = stepAt(recipe, weight, experts);
    const given = "values" in step ? step.values : {};
    const { values } = factorsOf(declarations[recipe.method], given, await measure(weight.name));
    for (const [parameter, byExpert] of Object.entries(values)) {
      const curves = ((parameters[parameter] ??= {})[weight.tensor] ??= {});
      for (const [i, value] of byExpert.entries())
        setAt((curves[experts[i] ?? ""] ??= emptyCurve()), weight, Number(value));
    }
  }
  return { method: recipe.method, parameters } satisfies MergeRecipe;
}

function emptyCurve(): Values {
  return { layers: [], rest: 0 };
}

/** Layers without such a tensor have 0, which nobody reads. */
function setAt(curve: Values, { layer }: RecipePlace, value: number): void {
  if (layer === undefined) {
    curve.rest = value;
    return;
  }
  while (curve.layers.length < layer) curve.layers.push(0);
  curve.layers[layer] = value;
}
