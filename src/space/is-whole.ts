import { declarations } from "../merge/declarations.ts";
import { curvesOf, type MergeRecipe } from "../merge/recipe.ts";
import { allWeights } from "../model/architecture.ts";
import type { Parents } from "./coefficient.ts";

/** Whether a recipe has a value of every parameter for every weight and expert. */
export function isWhole({ method, parameters }: MergeRecipe, { experts, model }: Parents): boolean {
  const weights = allWeights(model);
  return declarations[method].parameters.every(({ name }) =>
    weights.every((weight) => {
      const curves = curvesOf(parameters[name] ?? {}, weight);
      return experts.every((expert) => (curves?.[expert]?.layers.length ?? -1) > (weight.layer ?? -1));
    }),
  );
}
