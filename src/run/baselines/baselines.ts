import type { Experiment } from "../../experiment/experiment.ts";
import type { GivenRecipe } from "../../experiment/given-recipe.ts";
import { UserError } from "../../errors.ts";
import { recipeOfParents, type ParentNames } from "../../mergekit/parent-recipe.ts";
import { declarationOf } from "../../merge/declarations.ts";
import { optionsOf, type ParameterSpec } from "../../merge/method.ts";
import { exportedRecipe } from "../../space/exported-recipe.ts";
import { type MergeRecipe, sameEverywhere, uniformRecipe, type Recipe } from "../../merge/recipe.ts";
import type { Parents } from "../../space/coefficient.ts";
import { isKnotRecipe, type KnotRecipe, recipeOver } from "../../space/knot-recipe.ts";
import type { SearchSpace } from "../../space/search-space.ts";

/** A model that the search has to beat. */
export interface Baseline {
  readonly name: string;
  readonly kind: "parent" | "average" | "global" | "recipe";
  readonly recipe: Recipe;
}

/** Values of the sweep, the same for all experts. */
const SWEEP = [0.4, 0.6, 0.7, 0.8, 0.9, 1, 1.2];

/** The same; where there is no time for all, the first of these. */
const SWEEP_BY_WORTH = [0.8, 0.6, 1, 0.4, 1.2, 0.7, 0.9];

const taskArithmetic: MergedSpace = { method: "task_arithmetic", parameters: {} };

/** What of a search space decides its baselines. */
type MergedSpace = Pick<SearchSpace, "method" | "parameters" | "options" | "seed">;

/** Base and experts as they are, the uniform average, a sweep of one value for all experts, and the given recipes, of which `onNotice` is told. */
export function listBaselines(
  { space: searched, recipes = {} }: Pick<Experiment, "space" | "recipes">,
  parents: Parents & ParentNames,
  onNotice?: (text: string) => void,
): Baseline[] {
  const { base, experts } = parents;
  // Stacks merge nothing, and are to beat what does.
  const space = searched.method === "stack" ? taskArithmetic : searched;
  const { groups } = parents.model;
  const everyExpert = (value: number): Record<string, number> =>
    Object.fromEntries(experts.map((expert) => [expert, value]));
  // The average of any other method would be no average; in that of task vectors it is a point that their search can start at.
  const averaging = space.method === "task_arithmetic" ? space.method : "linear";
  const average = uniformRecipe(averaging, everyExpert(1 / experts.length), groups);
  const swept = sweptParameter(space);
  const global = (varied: string, value: number): Baseline => {
    const parameters = declarationOf(space.method).parameters.map(({ name, start }) => {
      const usual = space.parameters[name]?.start ?? start;
      const own = name === varied ? value : usual === "uniform" ? 1 / experts.length : usual;
      return [name, sameEverywhere(everyExpert(own), groups)];
    });
    const recipe: MergeRecipe = {
      method: space.method,
      parameters: Object.fromEntries(parameters) as MergeRecipe["parameters"],
      ...(space.options && { options: space.options }),
      ...(space.seed !== undefined && { seed: space.seed }),
    };
    return { name: `global ${varied} ${value}`, kind: "global", recipe };
  };
  return [
    ...[base, ...experts].map((name): Baseline => ({
      name,
      kind: "parent",
      recipe: { method: "passthrough", model: name },
    })),
    { name: "uniform average", kind: "average", recipe: average },
    ...(swept === undefined ? [] : SWEEP.map((value) => global(swept, value))),
    ...Object.entries(recipes).map(([name, recipe]): Baseline => ({
      name,
      kind: "recipe",
      recipe: isKnotRecipe(recipe) ? recipeOver(groups, recipe) : named(name, recipe, parents, onNotice),
    })),
  ];
}

/**
 * What a sweep of one value for all experts varies, if there is one. A weighted sum without a base is a model only when its weights
 * sum to about one, and of a combination on a sphere only how they compare counts. Where weights are divided by their sum, what
 * multiplies the result is varied instead. A method that has neither has no sweep.
 */
function sweptParameter({ method, options }: MergedSpace): string | undefined {
  const declaration = declarationOf(method);
  if (!declaration.needsBase || declaration.needs?.gram) return undefined;
  const swept = optionsOf(declaration, options)["normalize"] ? "lambda" : "weight";
  const isSwept = ({ name, limits: [least, most] = [-Infinity, Infinity] }: ParameterSpec): boolean =>
    name === swept && SWEEP.every((value) => value >= least && value <= most);
  return declaration.parameters.some(isSwept) ? swept : undefined;
}

function named(
  name: string,
  recipe: Exclude<GivenRecipe, KnotRecipe>,
  parents: Parents & ParentNames,
  onNotice?: (text: string) => void,
): Recipe {
  try {
    if ("exported" in recipe) return exportedRecipe(recipe.exported, parents);
    return recipeOfParents(recipe.mergekit, parents, (text) => onNotice?.(`recipes.${name}: ${text}`));
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(`recipes.${name}: ${error.message}`, { cause: error });
  }
}

/** All of them, but of the sweep so many. */
export function withSweepOf(size: number, baselines: readonly Baseline[]): readonly Baseline[] {
  const sweep = baselines.filter(({ kind }) => kind === "global");
  const kept = new Set(SWEEP_BY_WORTH.slice(0, size).map((value) => sweep[SWEEP.indexOf(value)]));
  return baselines.filter((baseline) => baseline.kind !== "global" || kept.has(baseline));
}

/** Models whose loss is finite, the least first; equals keep their order. */
export function bestFirst<T extends { readonly loss: number }>(models: readonly T[]): T[] {
  return models.filter(({ loss }) => Number.isFinite(loss)).toSorted((a, b) => a.loss - b.loss);
}
