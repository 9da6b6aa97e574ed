import { type MergeMethod, methodName } from "../../src/merge/declarations.ts";
import type { Curve, RecipeWithColumns } from "../../src/merge/recipe.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { pack } from "../../src/tensor/packed.ts";
import { RandomStream } from "../../src/tensor/random.ts";

/** Random coefficients with all their digits, negative ones among them: of every column, but for norms of curves alone. */
export function recipeWithColumns(method: MergeMethod, experts: readonly string[], model: Model): RecipeWithColumns {
  const valuesOf = (...of: string[]): (() => number) => {
    const stream = RandomStream.of(5, methodName(method), ...of);
    return () => 0.5 + 0.4 * stream.normal();
  };
  const forExperts = <T>(make: (expert: string) => T): Record<string, T> =>
    Object.fromEntries(experts.map((expert) => [expert, make(expert)]));
  const weights = allWeights(model);
  const curve = (value: () => number): Curve => ({
    layers: Array.from({ length: model.groups[0]!.layers }, value),
    rest: value(),
  });
  const groups = [...new Set(weights.map(({ group }) => group))];
  const curves = groups.map((group) => [group, forExperts((expert) => curve(valuesOf(group, expert)))] as const);
  const columns = weights
    .filter(({ group }) => group !== "norm")
    .map(({ name, shape }) => {
      const length = shape.at(-1)!;
      return [name, forExperts((expert) => pack(Float32Array.from({ length }, valuesOf(name, expert))))] as const;
    });
  return {
    method,
    parameters: { weight: Object.fromEntries(curves) },
    columns: { weight: Object.fromEntries(columns) },
  };
}
