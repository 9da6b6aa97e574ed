import { declarationOf } from "../merge/declarations.ts";
import { isRandom } from "../merge/method.ts";
import { curvesOf, type MergeRecipe, type StackRecipe } from "../merge/recipe.ts";
import { allWeights } from "../model/architecture.ts";
import { unpack } from "../tensor/packed.ts";
import type { Parents } from "./coefficient.ts";
import type { KeyedModel } from "./curve-keys.ts";
import { whyNotMerged } from "./expert-count.ts";

/**
 * Whether a recipe has a value of every parameter for every weight and expert, or one for each of the weight's columns, and
 * neither parameters of another method nor columns of other weights or experts, which an export would pass on; of as many
 * experts as the method merges.
 */
export function isWhole(
  { method, parameters, columns = {}, options = {}, seed }: MergeRecipe,
  { experts, model }: Parents,
): boolean {
  const weights = allWeights(model);
  const declaration = declarationOf(method);
  const { parameters: specs, options: known = [] } = declaration;
  const names = specs.map(({ name }) => name);
  if (whyNotMerged(method, experts.length) !== undefined) return false;
  const byColumn = specs.filter(({ isWhole: isOfTensor }) => !isOfTensor).map(({ name }) => name);
  const isOurs =
    isPartOf(Object.keys(parameters), names) &&
    isPartOf(Object.keys(columns), byColumn) &&
    isPartOf(
      Object.keys(options),
      known.map(({ name }) => name),
    ) &&
    (seed === undefined || isRandom(declaration));
  const weightNames = weights.map(({ name }) => name);
  const columnsAreOurs = Object.values(columns).every(
    (byWeight) =>
      isPartOf(Object.keys(byWeight), weightNames) &&
      Object.values(byWeight).every((byExpert) => isPartOf(Object.keys(byExpert), experts)),
  );
  return (
    isOurs &&
    columnsAreOurs &&
    names.every((name) =>
      weights.every((weight) => {
        const own = columns[name]?.[weight.name];
        const curves = curvesOf(parameters[name] ?? {}, weight);
        return experts.every((expert) =>
          own
            ? unpack(own[expert] ?? "")?.length === weight.shape.at(-1)
            : (curves?.[expert]?.layers.length ?? -1) > (weight.layer ?? -1),
        );
      }),
    )
  );
}

/** Whether all layers of a stack are layers of these models, and the rest one of theirs. */
export function isStackOf(
  { layers, rest }: StackRecipe,
  { models, model: { groups } }: { readonly models: readonly string[]; readonly model: KeyedModel },
): boolean {
  const count = groups[0]?.layers ?? 0;
  return models.includes(rest) && layers.every(({ model, layer }) => models.includes(model) && layer < count);
}

function isPartOf(found: readonly string[], known: readonly string[]): boolean {
  const names = new Set(known);
  return found.every((name) => names.has(name));
}
