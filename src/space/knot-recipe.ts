import { z } from "zod";
import { nearestName } from "../config/nearest-name.ts";
import { declarationOf, type MergeMethod, methodName, methodNames } from "../merge/declarations.ts";
import { type FormulaMethods, methodSchemaWith } from "../merge/formula-method-schema.ts";
import { MAX_VALUE, type Curve, type MergeRecipe } from "../merge/recipe.ts";
import type { Options } from "../merge/method.ts";
import { optionFaults, optionsSchema, seedSchema } from "./search-space.ts";
import { levelOf } from "./depth-curve.ts";
import { whyNotMerged } from "./expert-count.ts";
import { groupKinds, stackGroups } from "../model/architectures.ts";
import type { ModelGroup } from "../model/architecture.ts";

/**
 * A merge for models of any depth: each coefficient is one value, or straight lines between values at evenly spaced
 * depths, the first layer and the last among them.
 */
export interface KnotRecipe {
  readonly method: MergeMethod;
  /** The values at those depths, by parameter, then by expert, then by group of tensors. */
  readonly parameters: Readonly<Record<string, Readonly<Record<string, ByGroup>>>>;
  readonly options?: Options;
  readonly seed?: number;
}

type ByGroup = Readonly<Record<string, Knots>>;
type Knots = readonly number[];

/** The parts of an experiment file that recipes depend on. */
interface GivenRecipes {
  readonly experts: Readonly<Record<string, string>>;
  readonly recipes?: Readonly<Record<string, unknown>> | undefined;
}

const partNames = Object.values(stackGroups).flat();
/** What stands for all groups that are not named. */
const REST = "rest";

const valueSchema = z.number().min(-MAX_VALUE).max(MAX_VALUE);
const severalSchema = z.array(valueSchema).min(2).max(1000);
const knotsSchema = z.union([valueSchema.transform((value) => [value]), severalSchema]).optional();

const groupsSchema = z
  .strictObject(Object.fromEntries([...groupKinds, ...partNames, REST].map((name) => [name, knotsSchema])))
  .check(checkGroups);

/** One value or knots for all tensors, or by group. */
const coefficientSchema = z.union([
  valueSchema.transform((value) => byGroup({ [REST]: [value] })),
  severalSchema.transform((knots) => byGroup({ [REST]: knots })),
  groupsSchema.transform(byGroup),
]);

/** A recipe as an experiment file gives it: the method, which a plugin may provide, and each of its parameters by expert. */
export const knotRecipeSchemaWith = (methods: FormulaMethods = new Map()): z.ZodType<KnotRecipe> =>
  z
    .strictObject({
      method: methodSchemaWith(methods),
      options: optionsSchema.exactOptional(),
      seed: seedSchema.exactOptional(),
      ...Object.fromEntries(
        parameterNames(methods).map((name) => [name, z.record(z.string(), coefficientSchema).optional()]),
      ),
    })
    .transform(({ method, options, seed, ...parameters }) => ({
      method,
      ...(options && { options }),
      ...(seed !== undefined && { seed }),
      parameters: parameters as KnotRecipe["parameters"],
    }));

function parameterNames(methods: FormulaMethods): readonly string[] {
  return [...methodNames, ...methods.values()].flatMap((method) =>
    declarationOf(method).parameters.map(({ name }) => name),
  );
}

/** Reports recipes that do not give every parameter of their method a value for every expert, or take a parent's name. */
export function checkRecipes({ value: { experts, recipes = {} }, issues }: z.core.ParsePayload<GivenRecipes>): void {
  const names = Object.keys(experts);
  for (const [name, recipe] of Object.entries(recipes)) {
    const report = (path: string[], message: string): void => {
      issues.push({ code: "custom", input: recipes, path: ["recipes", name, ...path], message });
    };
    if (name === "base" || names.includes(name)) {
      report([], `a parent is named "${name}" too; give the recipe a name of its own`);
    }
    if (!isKnotRecipe(recipe)) continue;
    const { method, parameters } = recipe;
    for (const { path, message } of optionFaults(recipe)) report(path, message);
    const wrongCount = whyNotMerged(method, names.length);
    if (wrongCount !== undefined) report(["method"], wrongCount);
    const taken = declarationOf(method).parameters.map((spec) => spec.name);
    for (const parameter of Object.keys(parameters).filter((given) => !taken.includes(given))) {
      const what = taken.length === 0 ? "takes no parameters" : `has no such parameter; it has ${taken.join(", ")}`;
      report([parameter], `the method ${methodName(method)} ${what}`);
    }
    for (const parameter of taken) {
      const given = parameters[parameter];
      const outside = given && outsideLimits(method, parameter, given);
      if (outside !== undefined) report([parameter], outside);
      if (given) checkExperts(Object.keys(given), names, (path, message) => report([parameter, ...path], message));
      else report([], `missing key "${parameter}": expected a value for each of ${names.join(", ")}`);
    }
  }
}

/** Values for which the method is not defined. */
function outsideLimits(
  method: MergeMethod,
  parameter: string,
  given: Readonly<Record<string, ByGroup>>,
): string | undefined {
  const { limits } = declarationOf(method).parameters.find(({ name }) => name === parameter) ?? {};
  if (!limits) return undefined;
  const [least, most] = limits;
  const values = Object.values(given).flatMap((groups) => Object.values(groups).flat());
  const outside = values.find((value) => value < least || value > most);
  return outside === undefined ? undefined : `expected values from ${least} to ${most}, found ${outside}`;
}

/** Recipes of other forms name their experts otherwise. */
export function isKnotRecipe(recipe: unknown): recipe is KnotRecipe {
  return typeof recipe === "object" && recipe !== null && "method" in recipe && "parameters" in recipe;
}

function checkExperts(
  given: readonly string[],
  names: readonly string[],
  report: (path: string[], message: string) => void,
): void {
  const unknown = given.find((expert) => !names.includes(expert));
  const missing = names.filter((expert) => !given.includes(expert));
  if (unknown !== undefined) {
    const nearest = nearestName(unknown, names);
    const advice = nearest === undefined ? `the experts are ${names.join(", ")}` : `did you mean "${nearest}"?`;
    report([unknown], `no expert has this name; ${advice}`);
  } else if (missing.length > 0) {
    report([], `no value for ${missing.join(", ")}; 0 leaves an expert out`);
  }
}

/** The recipe for a model of such groups: a value for a kind is that of its group in every stack, unless this has its own. */
export function recipeOver(
  groups: readonly ModelGroup[],
  { method, parameters, options, seed }: KnotRecipe,
): MergeRecipe {
  const curves = Object.entries(parameters).map(([parameter, experts]) => {
    const inGroup = (group: ModelGroup): [string, Curve][] =>
      Object.entries(experts).map(([expert, values]) => [
        expert,
        curveThrough(values[group.name] ?? values[group.kind] ?? [], group),
      ]);
    return [parameter, Object.fromEntries(groups.map((group) => [group.name, Object.fromEntries(inGroup(group))]))];
  });
  return {
    method,
    parameters: Object.fromEntries(curves) as MergeRecipe["parameters"],
    ...(options && { options }),
    ...(seed !== undefined && { seed }),
  };
}

/** As in a search, weights outside the layers take the mean over the layers. */
function curveThrough(knots: Knots, { layers, isLayered }: ModelGroup): Curve {
  const values = Array.from({ length: layers }, (_, layer) => {
    const place = (layer * (knots.length - 1)) / Math.max(1, layers - 1);
    const before = Math.floor(place);
    const [low = Number.NaN, high = low] = knots.slice(before, before + 2);
    return low + (place - before) * (high - low);
  });
  return { layers: isLayered ? values : [], rest: levelOf(values) };
}

function byGroup(given: Readonly<Record<string, Knots | undefined>>): ByGroup {
  const ofStacks = partNames.flatMap((name) => (given[name] ? [[name, given[name]] as const] : []));
  return Object.fromEntries([...groupKinds.map((kind) => [kind, given[kind] ?? given[REST] ?? []]), ...ofStacks]);
}

function checkGroups({ value, issues }: z.core.ParsePayload<Readonly<Record<string, unknown>>>): void {
  const isGiven = (name: string): boolean => value[name] !== undefined;
  const missing = groupKinds.filter((kind) => !isGiven(kind));
  if (missing.length === 0 || isGiven(REST)) return;
  const message = `no value for ${missing.join(", ")}; "${REST}" is the value of all groups that are not named`;
  issues.push({ code: "custom", input: value, message });
}
