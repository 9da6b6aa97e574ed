import { UserError } from "../errors.ts";
import { allWeights, type Model, type ModelGroup, type Weight } from "../model/architecture.ts";
import type { SearchSpace } from "./search-space.ts";

/** Tensors that have their curves in a recipe under one name: those of a group, or of one kind. */
export interface CurveKey {
  readonly name: string;
  /** The name itself, or the group of the kind. */
  readonly group: string;
  readonly isLayered: boolean;
  /** Of their stack. */
  readonly layers: number;
}

/** What keys are derived from. */
export type KeyedModel = Pick<Model, "groups" | "stages">;

/**
 * The keys of a search space in a model, by the sets that share coefficients. Stacks have depths of their own, so that a set has
 * coefficients for each of them, unless these do not depend on the depth.
 */
export function curveKeys(space: SearchSpace, model: KeyedModel): readonly (readonly CurveKey[])[] {
  const { groups } = model;
  if (space.groups === "tensors") return kindsOf(model).map((key) => [key]);
  const sets = space.groups.map((set) => set.flatMap((name) => groups.filter((group) => isCalled(group, name))));
  const missing = groups.find((group) => !sets.flat().includes(group));
  if (missing) {
    throw new UserError(
      `the search space has no set with ${missing.name}, which this model has; list ${missing.kind}, which is that of every stack`,
    );
  }
  return sets
    .flatMap((set) => (space.depth.curve === "constant" ? [set] : byStack(set)))
    .filter((set) => set.length > 0)
    .map((set) => set.map(({ name, isLayered, layers }) => ({ name, group: name, isLayered, layers })));
}

function isCalled({ name, kind }: ModelGroup, given: string): boolean {
  return given === name || given === kind;
}

function byStack(set: readonly ModelGroup[]): ModelGroup[][] {
  return [...new Set(set.map(({ stack }) => stack))].map((stack) => set.filter((group) => group.stack === stack));
}

function kindsOf(model: KeyedModel): CurveKey[] {
  const weights = allWeights(model);
  const kinds = new Map(weights.map(({ tensor, group }) => [tensor, group]));
  const layered = new Set(weights.filter(({ layer }) => layer !== undefined).map(({ tensor }) => tensor));
  return Array.from(kinds, ([name, group]) => {
    const { layers = 0 } = model.groups.find((own) => own.name === group) ?? {};
    return { name, group, isLayered: layered.has(name), layers };
  });
}

/** The name of the key that a weight's curves have. */
export function keyOf({ groups }: SearchSpace, { tensor, group }: Weight): string {
  return groups === "tensors" ? tensor : group;
}
