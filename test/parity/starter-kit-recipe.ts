import { declarations, type MethodName } from "../../src/merge/declarations.ts";
import { isRandom, type Options } from "../../src/merge/method.ts";
import type { Curve, Curves, WeightwiseRecipe } from "../../src/merge/recipe.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { recipeWithColumns } from "../export/recipe-with-columns.ts";

/** What is merged how. */
export interface KitMerge {
  readonly method: MethodName | "passthrough";
  readonly options?: Options;
  /** Whether every kind of tensors has coefficients of its own. */
  readonly byTensor?: boolean;
  /** Whether columns have coefficients of their own, but for norms. */
  readonly byColumn?: boolean;
}

/** Coefficients with all their digits, negative ones among them. */
export function recipeOf(
  { method, options, byTensor, byColumn }: KitMerge,
  experts: readonly string[],
  model: Model,
): WeightwiseRecipe {
  if (method === "passthrough") return { method, model: experts[0]! };
  if (byColumn === true) return recipeWithColumns(method, experts, model);
  const layers = Math.max(...model.groups.map((group) => group.layers));
  const names = new Set(allWeights(model).map(({ tensor, group }) => (byTensor === true ? tensor : group)));
  const curvesWithin = ([least, most]: readonly [number, number] = [-Infinity, Infinity]): Curves => {
    const curveOf = (group: string, expert: string): Curve => {
      const stream = RandomStream.of(11, group, expert);
      const value = (): number => Math.min(most, Math.max(least, 0.5 + 0.4 * stream.normal()));
      return { layers: Array.from({ length: layers }, value), rest: value() };
    };
    const ofExperts = (group: string): Curves[string] =>
      Object.fromEntries(experts.map((expert) => [expert, curveOf(group, expert)]));
    return Object.fromEntries(Array.from(names, (group) => [group, ofExperts(group)]));
  };
  const parameters = declarations[method].parameters.map(({ name, limits }) => [name, curvesWithin(limits)]);
  const recipe = {
    method,
    parameters: Object.fromEntries(parameters) as Record<string, Curves>,
    ...(options && { options }),
  };
  return isRandom(declarations[method]) ? { ...recipe, seed: 7 } : recipe;
}
