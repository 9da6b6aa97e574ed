/** The recipe of an earlier export, as a baseline of a run: its merge of the parents that have the names of its own. */
import { UserError } from "../errors.ts";
import { declarationOf, methodName } from "../merge/declarations.ts";
import { type Curves, curvesOf, hasColumns, MAX_VALUE, type MergeRecipe, type Recipe } from "../merge/recipe.ts";
import type { ParameterSpec } from "../merge/method.ts";
import { allWeights, type Model } from "../model/architecture.ts";
import { whyNotMerged } from "./expert-count.ts";
import { isStackOf, isWhole } from "./is-whole.ts";

/** The names of the parents, and the model that they are of. */
interface NamedParents {
  readonly base: string;
  readonly experts: readonly string[];
  readonly model: Pick<Model, "stages" | "groups">;
}

/** The recipe itself; a UserError, without its name, where it is no model of these parents' weights. */
export function exportedRecipe(recipe: Recipe, parents: NamedParents): Recipe {
  const { base, experts } = parents;
  if (recipe.method === "stack") {
    if (isStackOf(recipe, { models: [base, ...experts], model: parents.model })) return recipe;
    throw new UserError("it stacks layers of other models; name its parents as in its run");
  }
  if (recipe.method === "passthrough") {
    const names = [base, ...experts];
    if (names.includes(recipe.model)) return recipe;
    throw new UserError(`it is the model ${recipe.model}; expected one of ${names.join(", ")}`);
  }
  const wrongCount = whyNotMerged(recipe.method, experts.length);
  if (wrongCount !== undefined) throw new UserError(wrongCount);
  checkParameters(recipe, parents);
  if (hasColumns(recipe) && !isWhole(recipe, parents))
    throw new UserError("its coefficients by column are not those of all columns of these models; begin with its own");
  return recipe;
}

/** A UserError where a parameter lacks a value for an expert at a weight, has one that is none of it, or has one for others. */
export function checkParameters(
  { method, parameters }: MergeRecipe,
  parents: Pick<NamedParents, "experts" | "model">,
): void {
  const taken = declarationOf(method).parameters.map(({ name }) => name);
  const given = Object.keys(parameters);
  if (taken.length !== given.length || taken.some((name) => !given.includes(name)))
    throw new UserError(
      `expected values of ${taken.join(", ") || "no parameter"}, which ${methodName(method)} takes, found those of ${given.join(", ") || "none"}`,
    );
  for (const spec of declarationOf(method).parameters) checkCurves(spec, parameters[spec.name] ?? {}, parents);
}

function checkCurves(
  { name: parameter, limits: [least, most] = [-MAX_VALUE, MAX_VALUE] }: ParameterSpec,
  curves: Curves,
  { experts, model }: Pick<NamedParents, "experts" | "model">,
): void {
  const weights = allWeights(model);
  const depth = Math.max(0, ...weights.map(({ layer = -1 }) => layer + 1));
  for (const weight of weights) {
    const own = curvesOf(curves, weight);
    if (!own)
      throw new UserError(
        `${parameter}: expected values for the group ${weight.group}, which ${weight.name} is of, or for its kind, ${weight.tensor}; found those for ${Object.keys(curves).join(", ") || "none"}`,
      );
    const named = Object.keys(own);
    const where = `${parameter} at ${weight.name}`;
    if (named.length !== experts.length || experts.some((expert) => !named.includes(expert)))
      throw new UserError(
        `${where}: expected values for ${experts.join(", ")}, found some for ${named.join(", ") || "none"}; name the experts as in its run`,
      );
    for (const [expert, { layers, rest }] of Object.entries(own)) {
      const value = weight.layer === undefined ? rest : layers[weight.layer];
      if (layers.length > depth || value === undefined)
        throw new UserError(
          `${where}: expected values for ${depth} layers, found ${layers.length}; take a model of its depth`,
        );
      if (value < least || value > most)
        throw new UserError(`${where}: expected a value from ${least} to ${most} for ${expert}, found ${value}`);
    }
  }
}
