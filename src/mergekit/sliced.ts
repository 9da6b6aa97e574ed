/** A recipe's `models`, `slices` and `modules` in one form: for each module of a model the slices that its layers are made of. */
import { UserError } from "../errors.ts";
import type { ModelPlaces } from "./model-places.ts";
import { type ModelReference, referenceText } from "./model-reference.ts";
import type { MergekitRecipe, OutputModule } from "./recipe-file.ts";
import type { Settings } from "./settings.ts";

/** Layers of one model, and its settings there. */
export interface SliceSource {
  /** `referenceText` of the model. */
  readonly model: string;
  /** The first layer, and the one behind the last. */
  readonly layers: readonly [from: number, to: number];
  readonly parameters: Settings | undefined;
}

/** Layers that are merged from as many layers of each source. */
export interface Slice {
  readonly sources: readonly SliceSource[];
  readonly base: string | undefined;
  /** From the innermost to the outermost, without those of the sources. */
  readonly scopes: readonly (Settings | undefined)[];
  readonly layers: number;
}

/** Every model that a recipe names, in its order, the base first; what they are made of, who merges them decides. */
export function modelsOf(recipe: MergekitRecipe): readonly ModelReference[] {
  const modules = [recipe, ...Object.values(recipe.modules ?? {})];
  const named = [
    ...(recipe.base_model ? [recipe.base_model] : []),
    ...modules.flatMap(({ models = [], slices = [] }) => [
      ...models.map(({ model }) => model),
      ...slices.flatMap(({ sources, base_model }) => [
        ...(base_model ? [base_model] : []),
        ...sources.map(({ model }) => model),
      ]),
    ]),
  ];
  return [...new Map(named.map((reference) => [referenceText(reference), reference])).values()];
}

/** The slices of each module. `placed` has that of every model; a UserError where the recipe asks for layers that are not there. */
export function slicesOf(
  recipe: MergekitRecipe,
  placed: ReadonlyMap<string, ModelPlaces>,
): ReadonlyMap<string, readonly Slice[]> {
  const [first] = modelsOf(recipe);
  const modules = [...placesFor(placed, first).layers.keys()];
  const { models, slices, modules: given } = recipe;
  if (slices && modules.length > 1)
    throw new UserError(
      `recipe: slices: the model has several stacks of layers, ${modules.join(", ")}; give the slices of each under modules`,
    );
  const definitionOf = (module: string): OutputModule => {
    if (!given) return { models, slices, parameters: undefined };
    const own = given[module === "" ? (Object.keys(given)[0] ?? "") : module];
    if (own) return own;
    throw new UserError(`recipe: modules: expected ${modules.join(", ")}, found ${Object.keys(given).join(", ")}`);
  };
  for (const name of Object.keys(given ?? {})) {
    if (modules.includes(name) || (modules.length === 1 && Object.keys(given ?? {}).length === 1)) continue;
    throw new UserError(
      `recipe: modules.${name}: the model has no such module; expected ${modules.join(", ") || "one"}`,
    );
  }
  return new Map(modules.map((module) => [module, slicesIn(recipe, definitionOf(module), { module, placed })]));
}

function slicesIn(
  recipe: MergekitRecipe,
  { models, slices, parameters }: OutputModule,
  { module, placed }: { readonly module: string; readonly placed: ReadonlyMap<string, ModelPlaces> },
): readonly Slice[] {
  const layersOf = (model: ModelReference): number => placesFor(placed, model).layers.get(module) ?? 0;
  const outer = [parameters, recipe.parameters];
  const base = recipe.base_model;
  if (models) {
    const isListed = models.some(({ model }) => base && referenceText(model) === referenceText(base));
    const all = base && !isListed ? [...models, { model: base, parameters: undefined }] : models;
    const sources = all.map(({ model, parameters: own }): SliceSource => ({
      model: referenceText(model),
      layers: [0, layersOf(model)],
      parameters: own,
    }));
    return [sliceOf(sources, base, outer)];
  }
  return (slices ?? []).map(({ sources, base_model: own = base, parameters: inner }) => {
    const checked = sources.map(({ model, layer_range: layers, parameters: innermost }): SliceSource => {
      const [count, text] = [layersOf(model), referenceText(model)];
      // What is in no stack has one slice, whatever its layers are said to be.
      if (count > 0 && (layers[1] > count || layers[0] >= layers[1]))
        throw new UserError(
          `recipe: layer_range: expected the first layer and the one behind the last, from [0, ${count}] of ${text}, found [${layers.join(", ")}]`,
        );
      return { model: text, layers, parameters: innermost };
    });
    return sliceOf(checked, own, [inner, ...outer]);
  });
}

function sliceOf(sources: readonly SliceSource[], base: ModelReference | undefined, scopes: Slice["scopes"]): Slice {
  const lengths = sources.map(({ layers: [from, to] }) => to - from);
  const [layers = 0] = lengths;
  const other = lengths.findIndex((length) => length !== layers);
  if (other >= 0)
    throw new UserError(
      `recipe: the sources of one slice must have as many layers each; ${sources[0]?.model} has ${layers}, and ${sources[other]?.model} ${lengths[other]}`,
    );
  return { sources, base: base && referenceText(base), scopes, layers };
}

function placesFor(placed: ReadonlyMap<string, ModelPlaces>, model: ModelReference | undefined): ModelPlaces {
  const places = model && placed.get(referenceText(model));
  if (!places) throw new Error("mergekit: a model without a places");
  return places;
}
