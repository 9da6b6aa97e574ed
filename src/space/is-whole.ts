import { declarations } from "../merge/declarations.ts";
import { curvesOf, type MergeRecipe } from "../merge/recipe.ts";
import { allWeights } from "../model/architecture.ts";
import { unpack } from "../tensor/packed.ts";
import type { Parents } from "./coefficient.ts";

/** Whether a recipe has a value of every parameter for every weight and expert, or one for each of the weight's columns. */
export function isWhole({ method, parameters, columns = {} }: MergeRecipe, { experts, model }: Parents): boolean {
  const weights = allWeights(model);
  return declarations[method].parameters.every(({ name }) =>
    weights.every((weight) => {
      const own = columns[name]?.[weight.name];
      const curves = curvesOf(parameters[name] ?? {}, weight);
      return experts.every((expert) =>
        own
          ? unpack(own[expert] ?? "")?.length === weight.shape.at(-1)
          : (curves?.[expert]?.layers.length ?? -1) > (weight.layer ?? -1),
      );
    }),
  );
}
