import { pack, type Packed } from "../tensor/packed.ts";
import { declarationOf } from "./declarations.ts";
import type { ParentFacts } from "./facts.ts";
import { formulaParameters, formulaNumbers } from "./formula-numbers.ts";
import { type Curve, type MergeRecipe, type RecipePlace, type Step, type WeightwiseRecipe, stepAt } from "./recipe.ts";

/** A curve in the making. */
interface Values extends Curve {
  readonly layers: number[];
  rest: number;
}

/**
 * A recipe with the numbers that the method's formula takes at every weight, as curves of kinds of tensors, for whoever
 * computes the formula without what they follow from. Where a weight is divided into vectors, `columns` has a number for each.
 */
export async function formulaRecipe(
  recipe: WeightwiseRecipe,
  weights: readonly RecipePlace[],
  experts: readonly string[],
  measure: (weight: string, step: Step) => Promise<ParentFacts>,
): Promise<WeightwiseRecipe> {
  if (recipe.method === "passthrough") return recipe;
  const declaration = declarationOf(recipe.method);
  const { derive } = declaration;
  if (!derive) return recipe;
  const taken = formulaParameters(declaration, recipe.options).map(({ name }) => name);
  const made = taken.filter((name) => derive.numbers.some((number) => number.name === name));
  const parameters: Record<string, Record<string, Record<string, Values>>> = {};
  const columns: Record<string, Record<string, Record<string, Packed>>> = {};
  for (const weight of weights) {
    const step = stepAt(recipe, weight, experts);
    if (step.method === "passthrough") continue;
    const facts = await measure(weight.name, step);
    const { values } = formulaNumbers(declaration, step.values, facts, step.options);
    for (const parameter of made) {
      const curves = ((parameters[parameter] ??= {})[weight.tensor] ??= {});
      for (const [i, value] of (values[parameter] ?? []).entries()) {
        const expert = experts[i] ?? "";
        const isOfVectors = typeof value === "object";
        if (isOfVectors) ((columns[parameter] ??= {})[weight.name] ??= {})[expert] = pack(value.values);
        setAt((curves[expert] ??= emptyCurve()), weight, isOfVectors ? 0 : Number(value));
      }
    }
  }
  const own = Object.entries(recipe.parameters).filter(([name]) => taken.includes(name));
  return {
    ...recipe,
    parameters: { ...(Object.fromEntries(own) as MergeRecipe["parameters"]), ...parameters },
    ...(Object.keys(columns).length > 0 && { columns }),
  };
}

function emptyCurve(): Values {
  return { layers: [], rest: 0 };
}

/** Layers without such a tensor have 0, which nobody reads, as where vectors have their own. */
function setAt(curve: Values, { layer }: RecipePlace, value: number): void {
  if (layer === undefined) {
    curve.rest = value;
    return;
  }
  while (curve.layers.length < layer) curve.layers.push(0);
  curve.layers[layer] = value;
}
