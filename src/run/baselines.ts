import type { Experiment } from "../experiment/experiment-file.ts";
import { declarations } from "../merge/declarations.ts";
import { uniformRecipe, type Recipe } from "../merge/recipe.ts";
import type { Parents } from "../space/coefficient.ts";
import { recipeOver } from "../space/knot-recipe.ts";

/** A model that the search has to beat. */
export interface Baseline {
  readonly name: string;
  readonly kind: "parent" | "average" | "global" | "recipe";
  readonly recipe: Recipe;
}

/** Weights of the sweep, the same for all experts. */
const SWEEP = [0.4, 0.6, 0.7, 0.8, 0.9, 1, 1.2];

/** The same; where there is no time for all, the first of these. */
const SWEEP_BY_WORTH = [0.8, 0.6, 1, 0.4, 1.2, 0.7, 0.9];

/** Base and experts as they are, the uniform average, a sweep of one weight for all experts, and the given recipes. */
export function listBaselines(
  { space, recipes = {} }: Pick<Experiment, "space" | "recipes">,
  parents: Parents & { readonly base: string },
): Baseline[] {
  const { base, experts } = parents;
  const { groups } = parents.model;
  // A combination by lengths and angles is no average for any weights.
  const method = declarations[space.method].needs?.gram ? "linear" : space.method;
  const everyExpert = (weight: number): Record<string, number> =>
    Object.fromEntries(experts.map((expert) => [expert, weight]));
  const merged = (name: string, kind: Baseline["kind"], weights: Record<string, number>): Baseline => ({
    name,
    kind,
    recipe: uniformRecipe(method, weights, groups),
  });
  // A weighted sum is only a model when its weights sum to about one, so it has no sweep of a common weight.
  const sweep = declarations[method].needsBase ? SWEEP : [];
  return [
    ...[base, ...experts].map((name): Baseline => ({
      name,
      kind: "parent",
      recipe: { method: "passthrough", model: name },
    })),
    merged("uniform average", "average", everyExpert(1 / experts.length)),
    ...sweep.map((weight) => merged(globalName(weight), "global", everyExpert(weight))),
    ...Object.entries(recipes).map(([name, recipe]): Baseline => ({
      name,
      kind: "recipe",
      recipe: recipeOver(groups, recipe),
    })),
  ];
}

/** All of them, but of the sweep so many. */
export function withSweepOf(size: number, baselines: readonly Baseline[]): readonly Baseline[] {
  const kept = new Set(SWEEP_BY_WORTH.slice(0, size).map(globalName));
  return baselines.filter(({ kind, name }) => kind !== "global" || kept.has(name));
}

function globalName(weight: number): string {
  return `global weight ${weight}`;
}

/** Models whose loss is finite, the least first; equals keep their order. */
export function bestFirst<T extends { readonly loss: number }>(models: readonly T[]): T[] {
  return models.filter(({ loss }) => Number.isFinite(loss)).toSorted((a, b) => a.loss - b.loss);
}
