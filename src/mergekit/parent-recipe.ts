/** A recipe of mergekit's whose models are the parents of an experiment, in the form that a search scores. */
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../errors.ts";
import { declarationOf, methodName } from "../merge/declarations.ts";
import {
  type CopyRecipe,
  type Curve,
  MAX_VALUE,
  type MergeRecipe,
  type MergeStep,
  type WeightwiseRecipe,
} from "../merge/recipe.ts";
import type { PlannedWeight } from "../merge-files/plan.ts";
import { allWeights, type Weight } from "../model/architecture.ts";
import type { PlacedModel } from "./model-places.ts";
import { planMerge } from "./plan-merge.ts";
import { checkMergekitRecipe, type MergekitRecipeInput } from "./recipe-file.ts";

export interface ParentNames {
  readonly base: string;
  readonly experts: readonly string[];
  readonly model: PlacedModel;
}

/** Curves in the making. */
type Growing = Record<string, Record<string, Record<string, { layers: number[]; rest: number }>>>;

/**
 * The same merge with curves for each kind of tensors, and for each group the mean over its kinds, from which a search begins that
 * tells groups apart only. A UserError, without the recipe's name, where the merge is not one of the parents' weights of equal
 * names with one method and one coefficient a tensor.
 * `onNotice` is told what of it is not as in mergekit.
 */
export function recipeOfParents(
  recipe: MergekitRecipeInput,
  { base, experts, model }: ParentNames,
  onNotice?: (text: string) => void,
): WeightwiseRecipe {
  const tensors = new Map(allWeights(model).map(({ name, shape }) => [name, { dtype: "f32", shape } as const]));
  const header = { folder: "", config: {}, tensors, model };
  const headers = new Map([base, ...experts].map((name) => [name, header]));
  const { weights } = planMerge(checkMergekitRecipe(recipe), headers, { onNotice });
  const planned = new Map(weights.map((weight) => [weight.spec.name, weight]));
  if (weights.length !== tensors.size || weights.some(isElsewhere))
    throw new UserError("its layers are others than the base's; a search scores merges of layers of one place each");
  const [first] = weights;
  if (!first) throw new UserError("it merges nothing");
  if (first.step.method === "passthrough") return copyOf(first.step, weights);
  return mergeOf(first.step, planned, { base, experts, model });
}

function isElsewhere({ spec, base, experts }: PlannedWeight): boolean {
  return [...(base ? [base] : []), ...experts].some(({ tensor }) => tensor !== spec.name);
}

function copyOf({ model }: CopyRecipe, weights: readonly PlannedWeight[]): CopyRecipe {
  const isPlain = weights.every(
    ({ step }) => step.method === "passthrough" && step.model === model && step.scale === undefined,
  );
  if (!isPlain)
    throw new UserError("it copies weights of several models, or scales them; a search scores one as it is");
  return { method: "passthrough", model };
}

function mergeOf(
  { method, options }: MergeStep,
  planned: ReadonlyMap<string, PlannedWeight>,
  { base, experts, model }: ParentNames,
): MergeRecipe {
  const curves: Growing = {};
  const weights = allWeights(model);
  for (const weight of weights) {
    const { base: own, experts: sources, step } = planned.get(weight.name) ?? absent(weight.name);
    if (own && own.model !== base)
      throw new UserError(
        `its base is ${own.model}, and that of the experiment ${base}; name the latter as base_model`,
      );
    if (sources.some((source) => source.model === base))
      throw new UserError("it takes the base for an expert; leave out base_model, and the base");
    if (step.method === "passthrough") throw new Error(`mergekit: ${weight.name} is copied`);
    if (!isDeepStrictEqual(step.options, options))
      throw new UserError(
        `its options at ${weight.name} are others than at ${weights[0]?.name}; a search scores merges of the same options for all tensors`,
      );
    for (const [parameter, values] of Object.entries(step.values)) {
      for (const expert of experts) {
        const at = sources.findIndex((source) => source.model === expert);
        const value = at < 0 ? neutral(method, parameter, expert) : Number(values[at]);
        if (Math.abs(value) > MAX_VALUE)
          throw new UserError(`${parameter} is ${value}; a search scores values from -${MAX_VALUE} to ${MAX_VALUE}`);
        setAt(curveOf(curves, parameter, weight.tensor, expert), weight, value);
      }
    }
  }
  for (const byKind of Object.values(curves)) addGroups(byKind, weights, experts);
  return { method, parameters: curves, ...(options && { options }) };
}

/** What leaves out an expert that a recipe does not name. */
function neutral(method: MergeRecipe["method"], parameter: string, expert: string): number {
  const { needs, parameters } = declarationOf(method);
  const spec = parameters.find(({ name }) => name === parameter);
  if (needs?.gram || !parameters.some(({ name }) => name === "weight"))
    throw new UserError(
      `it leaves out ${expert}, and ${methodName(method)} merges all experts of an experiment; name them all`,
    );
  if (parameter === "weight") return 0;
  return typeof spec?.start === "number" ? spec.start : 1;
}

function curveOf(curves: Growing, parameter: string, name: string, expert: string): { layers: number[]; rest: number } {
  return (((curves[parameter] ??= {})[name] ??= {})[expert] ??= { layers: [], rest: 0 });
}

/** Layers without such a tensor have 0, which nobody reads. */
function setAt(curve: { layers: number[]; rest: number }, { layer }: Weight, value: number): void {
  if (layer === undefined) {
    curve.rest = value;
    return;
  }
  while (curve.layers.length < layer) curve.layers.push(0);
  curve.layers[layer] = value;
}

function addGroups(byKind: Growing[string], weights: readonly Weight[], experts: readonly string[]): void {
  for (const group of new Set(weights.map((weight) => weight.group))) {
    const own = weights.filter((weight) => weight.group === group);
    const means = experts.map((expert) => [expert, meanOf(own, byKind, expert)] as const);
    // A final norm is a kind by the name of its group, and has a value outside the layers alone.
    const kind = byKind[group] ?? {};
    byKind[group] = Object.fromEntries(
      means.map(([expert, mean]) => {
        const { layers = [], rest = mean.rest } = kind[expert] ?? {};
        return [expert, { layers: layers.length > 0 ? layers : mean.layers, rest }];
      }),
    );
  }
}

function meanOf(weights: readonly Weight[], byKind: Growing[string], expert: string): Curve & { layers: number[] } {
  const sums: { sum: number; count: number }[] = [];
  const rest = { sum: 0, count: 0 };
  for (const { tensor, layer } of weights) {
    const curve = byKind[tensor]?.[expert];
    const into = layer === undefined ? rest : (sums[layer] ??= { sum: 0, count: 0 });
    into.sum += (layer === undefined ? curve?.rest : curve?.layers[layer]) ?? 0;
    into.count += 1;
  }
  const layers = sums.map(({ sum, count }) => sum / count);
  const level = layers.reduce((total, value) => total + value, 0) / Math.max(1, layers.length);
  return { layers, rest: rest.count > 0 ? rest.sum / rest.count : level };
}

function absent(name: string): never {
  throw new Error(`mergekit: ${name} is not planned`);
}
