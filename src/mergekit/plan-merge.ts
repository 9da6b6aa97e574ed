/** From a recipe and the headers of its models to what is merged for each weight. */
import type { TensorSpec } from "../checkpoint/safetensors-header.ts";
import { UserError } from "../errors.ts";
import { declarationOf } from "../merge/declarations.ts";
import type { Step } from "../merge/recipe.ts";
import type { PlannedWeight, TensorSource } from "../merge-files/plan.ts";
import { sameShape } from "../tensor/dtype.ts";
import { atLayer, placesInModel, type ModelPlaces, type ModelHeader } from "./model-places.ts";
import { Notices } from "./notices.ts";
import type { MergekitRecipe } from "./recipe-file.ts";
import { type Slice, slicesOf } from "./sliced.ts";
import { tellIgnored } from "./tell-ignored.ts";
import { weightStep } from "./weight-step.ts";

export interface PlanOptions {
  /** Whether the result is to be mergekit's, its known faults among it. */
  readonly isCompatible?: boolean | undefined;
  /** Of methods that draw at random. */
  readonly seed?: number | undefined;
  /** Told what a person should know. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

/** A merge of files. */
export interface MergePlan {
  readonly weights: readonly PlannedWeight[];
  /** For each module, from which layer of which model each layer of the result has its configuration. */
  readonly layers: ReadonlyMap<string, readonly LayerOrigin[]>;
}

export interface LayerOrigin {
  readonly model: string;
  readonly layer: number;
}

const dtypes = { float32: "f32", float16: "f16", bfloat16: "bf16" } as const;

/**
 * Plans every weight of a recipe. `models` has a header for each of its `modelsOf`, by its text. A UserError where these do not
 * fit together, or a method cannot be what the recipe says it is.
 */
export function planMerge(
  recipe: MergekitRecipe,
  models: ReadonlyMap<string, ModelHeader>,
  { isCompatible = false, seed, onNotice }: PlanOptions = {},
): MergePlan {
  checkFamily(models);
  const placed = new Map(Array.from(models, ([name, header]) => [name, placesInModel(header)]));
  const modules = slicesOf(recipe, placed);
  const notices = new Notices(onNotice);
  tellIgnored(recipe, Array.from(modules.values()).flat(), notices);
  const dtype = recipe.out_dtype ?? recipe.dtype;
  const weights = Array.from(modules, ([module, slices]) =>
    placedIn(module, slices, placed).map(({ name, slice, tensors, t, isBehind }): PlannedWeight => {
      const place = { name, slice, t, isBehind, isCompatible, seed };
      const { base, experts, step } = weightStep(recipe, place, tensors, notices);
      const own = specOf(base ?? experts[0], [...(base ? [base] : []), ...experts], models);
      return { spec: { ...own, name, dtype: dtype ? dtypes[dtype] : own.dtype }, ...(base && { base }), experts, step };
    }),
  ).flat();
  tellZeros(weights, notices);
  const layers = new Map(Array.from(modules, ([module, slices]) => [module, slices.flatMap(originsIn)]));
  return { weights, layers };
}

/**
 * Weights of zeros are asked for where a layer is to add nothing, and else an oversight, so they are told. A model of nothing else
 * is a UserError, as is a sum of weights of 0.
 */
function tellZeros(weights: readonly PlannedWeight[], notices: Notices): void {
  const zeros = weights.filter(({ step }) => isZero(step));
  const [first] = zeros;
  if (!first) return;
  if (zeros.length === weights.length)
    throw new UserError("recipe: all weights are 0, which makes a model of zeros; give others");
  notices.tell(`${zeros.length} tensors of the merge, such as ${first.spec.name}, are zeros, as their weights are`);
}

function isZero(step: Step): boolean {
  if (step.method === "passthrough") return step.scale === 0;
  // Others are the base, or their weights are only compared.
  const { needsBase, needs } = declarationOf(step.method);
  return !needsBase && !needs?.gram && (step.values["weight"] ?? [1]).every((weight) => weight === 0);
}

/** A weight of the result before its settings are looked up. */
interface PlacedWeight {
  readonly name: string;
  readonly slice: Slice;
  /** One for each source of the slice. */
  readonly tensors: readonly TensorSource[];
  readonly t: number;
  readonly isBehind: boolean;
}

/** What stands before the layers of a module, in them and behind, in this order. */
function placedIn(module: string, slices: readonly Slice[], placed: ReadonlyMap<string, ModelPlaces>): PlacedWeight[] {
  const [first, last] = [slices[0], slices.at(-1)];
  if (!first || !last) return [];
  const outside = (slice: Slice, isBehind: boolean): PlacedWeight[] =>
    namesAt(slice, placed, { module, isBehind }).map((name) => ({
      name,
      slice,
      tensors: slice.sources.map(({ model }) => ({ model, tensor: name })),
      t: isBehind ? 1 : 0,
      isBehind,
    }));
  let count = 0;
  const inside = slices.flatMap((slice) =>
    Array.from({ length: hasLayers(module, placed) ? slice.layers : 0 }, (_, i): PlacedWeight[] => {
      const layer = count++;
      return namesAt(slice, placed, { module, layer: i }).map((name) => ({
        name: atLayer(name, layer),
        slice,
        tensors: slice.sources.map(({ model, layers: [from] }) => ({ model, tensor: atLayer(name, from + i) })),
        t: slice.layers > 1 ? i / (slice.layers - 1) : 1,
        isBehind: false,
      }));
    }).flat(),
  );
  return [...outside(first, false), ...inside, ...outside(last, true)];
}

function hasLayers(module: string, placed: ReadonlyMap<string, ModelPlaces>): boolean {
  return [...placed.values()].some(({ layers }) => (layers.get(module) ?? 0) > 0);
}

/** The names that the first source has at a place; a UserError where another has others there. */
function namesAt(
  { sources }: Slice,
  placed: ReadonlyMap<string, ModelPlaces>,
  { module, layer, isBehind }: { readonly module: string; readonly layer?: number; readonly isBehind?: boolean },
): readonly string[] {
  const named = sources.map(({ model, layers: [from] }) => {
    const own = Array.from(placed.get(model)?.places ?? []).filter(([, place]) => {
      if (place.module !== module) return false;
      return layer === undefined
        ? place.layer === undefined && place.isBehind === isBehind
        : place.layer === from + layer;
    });
    // Names of one layer are compared as those of the first.
    return { model, names: own.map(([name]) => (layer === undefined ? name : atLayer(name, 0))) };
  });
  const [first] = named;
  for (const { model, names } of named) {
    for (const [has, lacks, of] of [
      [first, model, names],
      [{ model, names }, first?.model, first?.names],
    ] as const) {
      const missing = has?.names.find((name) => !of?.includes(name));
      if (missing === undefined) continue;
      throw new UserError(
        `recipe: ${has?.model} has a tensor ${missing}, which ${lacks} lacks; merge models of one kind`,
      );
    }
  }
  return first?.names ?? [];
}

/** The shape that all parents of a weight have, and the type of the first. */
function specOf(
  own: TensorSource | undefined,
  parents: readonly TensorSource[],
  models: ReadonlyMap<string, ModelHeader>,
): Omit<TensorSpec, "name"> {
  const headerOf = ({ model, tensor }: TensorSource): Omit<TensorSpec, "name"> => {
    const found = models.get(model)?.tensors.get(tensor);
    if (found) return found;
    throw new UserError(`recipe: ${model} lacks the tensor ${tensor}; download the model in full`);
  };
  if (!own) throw new UserError("recipe: a slice has no model to merge");
  const { dtype, shape } = headerOf(own);
  for (const parent of parents) {
    const found = headerOf(parent).shape;
    if (sameShape(found, shape)) continue;
    throw new UserError(
      `recipe: tensor ${parent.tensor} of ${parent.model} has shape [${found.join(", ")}], and that of ${own.model} [${shape.join(", ")}]; merge models of equal shapes`,
    );
  }
  return { dtype, shape };
}

function checkFamily(models: ReadonlyMap<string, ModelHeader>): void {
  const types = Array.from(models, ([name, { config }]) => ({ name, type: config["model_type"] }));
  const [first] = types;
  const other = types.find(({ type }) => type !== first?.type);
  if (!other) return;
  throw new UserError(
    `recipe: ${first?.name} is a ${JSON.stringify(first?.type)}, and ${other.name} a ${JSON.stringify(other.type)} by their config.json; merge models of one architecture`,
  );
}

/** The configuration of a merged layer is the base's, or else the first source's. */
function originsIn({ sources, base, layers }: Slice): LayerOrigin[] {
  const origin = sources.find(({ model }) => model === base) ?? sources[0];
  if (!origin) return [];
  return Array.from({ length: layers }, (_, i) => ({ model: origin.model, layer: origin.layers[0] + i }));
}
