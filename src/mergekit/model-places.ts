/** Where the tensors of a model stand: by its architecture where that is known, else by their names. */
import { UserError } from "../errors.ts";
import { allWeights, type Model } from "../model/architecture.ts";
import { type CheckpointHeader, openModel } from "../model/open-model.ts";

/** A tensor's place: in a layer of a module, or before or behind the layers. */
export interface TensorPlace {
  /** As `modules` of a recipe calls it; models of one stack have one, without a name. */
  readonly module: string;
  readonly layer?: number;
  /** Of a tensor in no layer: whether it takes the settings of the last slice, as final norms and heads do. */
  readonly isBehind: boolean;
}

export interface ModelPlaces {
  readonly places: ReadonlyMap<string, TensorPlace>;
  /** Number of layers by module, in the order of the tensors. */
  readonly layers: ReadonlyMap<string, number>;
}

/** Names of what stands behind the layers of most models. */
const BEHIND = /(^|[._])(lm_head|norm|ln_f|final\w*|score|classifier)([._]|$)/;
const NUMBERED = /^(?<stack>.*?)\.(?<layer>\d+)\./;

/** A model as far as the places of its weights go. */
export type PlacedModel = Pick<Model, "stages" | "selectors">;

/** What is known of a model without its weights. */
export interface ModelHeader extends Pick<CheckpointHeader, "folder" | "config" | "tensors"> {
  /** The model that it is, where that has been found out. */
  readonly model?: PlacedModel;
}

/** The places of all tensors that a merge has of a model; a UserError where the numbers of its layers are none to count by. */
export function placesInModel(header: ModelHeader): ModelPlaces {
  const model = header.model ?? knownModel(header);
  const places = placesOf(model, [...header.tensors.keys()]);
  const numbers = new Map<string, Set<number>>();
  for (const { module, layer } of places.values()) {
    const own = numbers.get(module) ?? new Set();
    numbers.set(module, layer === undefined ? own : own.add(layer));
  }
  for (const [name, { module, layer = 0 }] of places) {
    const count = numbers.get(module)?.size ?? 0;
    if (layer < Math.max(1, count)) continue;
    throw new UserError(
      `${header.folder}: tensor ${name}: expected a layer from 0 to ${count - 1}, as there are tensors of ${count}, found ${layer}; download the model in full`,
    );
  }
  return { places, layers: new Map(Array.from(numbers, ([module, own]) => [module, own.size])) };
}

function placesOf(model: PlacedModel | undefined, stored: readonly string[]): ModelPlaces["places"] {
  if (!model) return placesByName(stored);
  // Of a model of several stacks mergekit's selectors tell which module a tensor is in.
  return model.selectors.length > 0 ? placesIn(model) : placesByName(allWeights(model).map(({ name }) => name));
}

/** Undefined for a model of another architecture: its merge needs no more than names and shapes. */
export function knownModel(header: Pick<CheckpointHeader, "folder" | "config" | "tensors">): Model | undefined {
  try {
    return openModel(header, "f32");
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The tensor at another layer of its stack. */
export function atLayer(tensor: string, layer: number): string {
  return tensor.replace(/\.\d+\./, `.${layer}.`);
}

function placesIn(model: PlacedModel): ReadonlyMap<string, TensorPlace> {
  const { selectors } = model;
  const isBefore = new Set<string>();
  for (const { weights, place } of model.stages) {
    if (place.layer !== undefined) break;
    for (const { name } of Object.values(weights)) isBefore.add(name);
  }
  return new Map(
    allWeights(model).map(({ name, layer }) => {
      const selector = selectors.find(
        ({ filter, module }) => name.startsWith(module?.prefix ?? "") && name.includes(filter),
      );
      const module = selector?.module?.name ?? "";
      if (layer !== undefined) return [name, { module, layer, isBehind: false }];
      return [name, { module, isBehind: selector ? selector.slices === "last" : !isBefore.has(name) }];
    }),
  );
}

/** The number in a name is that of its layer; stacks of one model are told apart by what stands before the number. */
function placesByName(names: readonly string[]): ReadonlyMap<string, TensorPlace> {
  const stacks = [...new Set(names.flatMap((name) => NUMBERED.exec(name)?.groups?.["stack"] ?? []))];
  const moduleOf = (name: string): string => {
    if (stacks.length <= 1) return "";
    const own = stacks.find((stack) => name.startsWith(`${stack}.`));
    return own ?? stacks.find((stack) => name.startsWith(`${stack.split(".", 1)[0]}.`)) ?? "";
  };
  return new Map(
    names.map((name) => {
      const layer = NUMBERED.exec(name)?.groups?.["layer"];
      const module = moduleOf(name);
      if (layer !== undefined) return [name, { module, layer: Number(layer), isBehind: false }];
      return [name, { module, isBehind: BEHIND.test(name) }];
    }),
  );
}
