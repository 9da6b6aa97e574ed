import { allWeights, type Model, type Weight } from "../model/architecture.ts";
import { isLayered, type SearchSpace } from "./search-space.ts";

/** Tensors that have their curves in a recipe under one name: those of a group, or of one kind. */
export interface CurveKey {
  readonly name: string;
  /** The name itself, or the group of the kind. */
  readonly group: string;
  readonly isLayered: boolean;
}

/** The keys of a search space in a model, by the sets that share coefficients. */
export function curveKeys({ groups }: SearchSpace, model: Pick<Model, "stages">): readonly (readonly CurveKey[])[] {
  if (groups !== "tensors") {
    return groups.map((set) => set.map((name) => ({ name, group: name, isLayered: isLayered[name] === true })));
  }
  const weights = allWeights(model);
  const kinds = new Map(weights.map(({ tensor, group }) => [tensor, group]));
  const layered = new Set(weights.filter(({ layer }) => layer !== undefined).map(({ tensor }) => tensor));
  return Array.from(kinds, ([name, group]) => [{ name, group, isLayered: layered.has(name) }]);
}

/** The name of the key that a weight's curves have. */
export function keyOf({ groups }: SearchSpace, { tensor, group }: Weight): string {
  return groups === "tensors" ? tensor : group;
}
