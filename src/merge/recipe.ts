/** A merge as data: what was searched, what is exported, what a reader of recipe.json sees. */
import type { Packed } from "../tensor/packed.ts";
import type { MergeMethod } from "./declarations.ts";
import type { Options } from "./method.ts";

/** One coefficient over the depth of the model: a value for each layer and one for the weights outside the layers. */
export interface Curve {
  readonly layers: readonly number[];
  readonly rest: number;
}

/** Largest magnitude of a coefficient in a search space or a recipe. */
export const MAX_VALUE = 1000;

/** Curves by kind of tensors or group of them, then by expert; a weight takes those of its kind before those of its group. */
export type Curves = Readonly<Record<string, Readonly<Record<string, Curve>>>>;

/**
 * Coefficients that differ among the input columns of a weight, which are its last dimension: by the weight's name, then by
 * expert, one for each column. They take the place of what the curves say there.
 */
export type Columns = Readonly<Record<string, Readonly<Record<string, Packed>>>>;

/** A merge of experts with one set of curves for each parameter of the method. */
export interface MergeRecipe {
  readonly method: MergeMethod;
  readonly parameters: Readonly<Record<string, Curves>>;
  /** Those of the method that are not as usual. */
  readonly options?: Options;
  /** Of a method that draws: what it drops at random. */
  readonly seed?: number;
  /** By parameter. */
  readonly columns?: Readonly<Record<string, Columns>>;
}

/** A layer of a parent, and what that which it adds to the hidden states is multiplied by. */
export interface StackedLayer {
  readonly model: string;
  readonly layer: number;
  readonly scale: number;
}

/**
 * Layers of the parents one behind the other, in any order and number (the data flow space of Akiba et al. 2024,
 * arXiv:2403.13187). There hidden states are scaled between layers; as each layer normalizes what it reads, that is scaling what
 * layers add, which factors of weights do.
 */
export interface StackRecipe {
  readonly method: "stack";
  readonly layers: readonly StackedLayer[];
  /** The parent that the weights outside the layers are of. */
  readonly rest: string;
}

/** One parent as it is. */
export interface CopyRecipe {
  readonly method: "passthrough";
  readonly model: string;
}

/** How every weight of a model is made from those of its parents that have its name. */
export type WeightwiseRecipe = MergeRecipe | CopyRecipe;

/** How every weight of a model is made from those of its parents. */
export type Recipe = WeightwiseRecipe | StackRecipe;

/** Whether parents are merged, by coefficients; otherwise each weight is one parent's. */
export function isMerge(recipe: Recipe): recipe is MergeRecipe {
  return recipe.method !== "passthrough" && recipe.method !== "stack";
}

/** One in which coefficients differ among columns. */
export type RecipeWithColumns = MergeRecipe & Required<Pick<MergeRecipe, "columns">>;

export function hasColumns(recipe: Recipe): recipe is RecipeWithColumns {
  return isMerge(recipe) && recipe.columns !== undefined;
}

/** A coefficient at one weight: of the whole, or of each of its input columns. */
export type StepValue = number | Packed;

/** A recipe at one weight: the parent to copy, be it times a factor, or a value for each parameter and expert. */
export type Step = { readonly method: "passthrough"; readonly model: string; readonly scale?: number } | MergeStep;

/** A merge at one weight: a value for each parameter and expert, and what the recipe has for all weights. */
export interface MergeStep extends Pick<MergeRecipe, "method" | "options" | "seed"> {
  readonly values: Readonly<Record<string, readonly StepValue[]>>;
}

/** What a recipe knows a weight by: its name, its kind, such as `q_proj`, its group, and its layer where it is in one. */
export interface RecipePlace {
  readonly name: string;
  readonly tensor: string;
  readonly group: string;
  readonly layer?: number;
  /** Whether a stack scales it with its layer. */
  readonly isAdded?: boolean;
}

/** The curves of a weight, by expert. */
export function curvesOf(
  curves: Curves,
  { tensor, group }: Pick<RecipePlace, "tensor" | "group">,
): Curves[string] | undefined {
  return Object.hasOwn(curves, tensor) ? curves[tensor] : curves[group];
}

/** Looks a recipe up at a weight; the values are in the order of `experts`. */
export function stepAt(recipe: Recipe, weight: RecipePlace, experts: readonly string[]): Step {
  if (recipe.method === "passthrough") return recipe;
  if (recipe.method === "stack") return stackedAt(recipe, weight);
  const values = Object.entries(recipe.parameters).map(([parameter, curves]) => {
    const own = curvesOf(curves, weight);
    const columns = recipe.columns?.[parameter]?.[weight.name];
    return [
      parameter,
      experts.map((expert) => {
        const name = `${parameter}.${weight.tensor}.${expert}`;
        return columns ? columnsOf(columns, expert, weight.name) : valueAt(own?.[expert], weight, name);
      }),
    ];
  });
  const { method, options, seed } = recipe;
  return {
    method,
    values: Object.fromEntries(values) as Record<string, StepValue[]>,
    ...(options && { options }),
    ...(seed !== undefined && { seed }),
  };
}

function stackedAt({ layers, rest }: StackRecipe, { layer, isAdded, name }: RecipePlace): Step {
  if (layer === undefined) return { method: "passthrough", model: rest };
  const own = layers[layer];
  if (!own) throw new Error(`recipe: no layer for ${name}`);
  return { method: "passthrough", model: own.model, ...(isAdded && { scale: own.scale }) };
}

/** A group of weights by its name in recipes, and how many layers its stack has. */
export interface RecipeGroup {
  readonly name: string;
  readonly layers: number;
}

/** The same weight for each expert in all groups and layers. */
export function uniformRecipe(
  method: MergeMethod,
  weights: Readonly<Record<string, number>>,
  groups: readonly RecipeGroup[],
): MergeRecipe {
  return { method, parameters: { weight: sameEverywhere(weights, groups) } };
}

/** Curves with the same value for an expert in all groups and layers. */
export function sameEverywhere(values: Readonly<Record<string, number>>, groups: readonly RecipeGroup[]): Curves {
  const curves = (layers: number): [string, Curve][] =>
    Object.entries(values).map(([expert, value]) => [
      expert,
      { layers: Array.from({ length: layers }, () => value), rest: value },
    ]);
  return Object.fromEntries(groups.map(({ name, layers }) => [name, Object.fromEntries(curves(layers))]));
}

function columnsOf(columns: Columns[string], expert: string, weight: string): Packed {
  const own = columns[expert];
  if (own === undefined) throw new Error(`recipe: no values for the columns of ${weight} for ${expert}`);
  return own;
}

function valueAt(curve: Curve | undefined, { layer }: { readonly layer?: number }, name: string): number {
  const value = layer === undefined ? curve?.rest : curve?.layers[layer];
  if (value === undefined) throw new Error(`recipe: no value for ${name} in layer ${layer ?? "none"}`);
  return value;
}
