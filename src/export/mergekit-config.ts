import { Document, isMap, isSeq, visit } from "yaml";
import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import type { TensorSpec } from "../checkpoint/safetensors-header.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { evomergeVersion } from "../files/own-package.ts";
import { BASE } from "../experiment/the-base.ts";
import { parseReference } from "../hub/api/reference.ts";
import { printableLine } from "../files/printable.ts";
import { declarationOf, declarations } from "../merge/declarations.ts";
import { isRandom, optionsOf } from "../merge/method.ts";
import {
  type Curve,
  curvesOf,
  hasColumns,
  isMerge,
  type MergeRecipe,
  type Recipe,
  type StackedLayer,
  type StackRecipe,
} from "../merge/recipe.ts";
import { allWeights, type Model, type Selector } from "../model/architecture.ts";
import { type RecipeSelector, selectorsFor } from "./mergekit-selectors.ts";

export interface MergekitMerge {
  readonly experiment: Pick<Experiment, "name" | "base" | "experts">;
  readonly recipe: Recipe;
  readonly model: Pick<Model, "groups" | "stages" | "selectors">;
  /** Names of the experts that are LoRA adapters of the base. */
  readonly adapters?: ReadonlySet<string> | undefined;
  /** Of the base's weights, in which the merge is saved. */
  readonly baseDtype: TensorSpec["dtype"];
}

const dtypeNames: Readonly<Record<TensorSpec["dtype"], string>> = { f32: "float32", f16: "float16", bf16: "bfloat16" };

/**
 * Whether mergekit can be told a merge: it has one coefficient for a tensor and its own methods, does not know all models, and pads and
 * ties embeddings otherwise.
 */
export function isForMergekit(
  recipe: Recipe,
  {
    model,
    checkpoints,
  }: {
    readonly model: Pick<Model, "selectors">;
    readonly checkpoints: ReadonlyMap<string, Pick<Checkpoint, "isView">>;
  },
): boolean {
  if (hasColumns(recipe) || typeof recipe.method !== "string") return false;
  return model.selectors.length > 0 && ![...checkpoints.values()].some(({ isView }) => isView);
}

/**
 * The same merge as a configuration for `mergekit-yaml`, checked with mergekit 0.1.5: one slice a layer, each with the
 * coefficients of the recipe, by group where it has one curve for the group. Weights before the layers take their settings from the first slice, and weights
 * after the layers from the last. A model of several stacks has a module for each, and one without layers for what they share.
 */
export function mergekitConfig({ experiment, recipe, model, baseDtype, adapters }: MergekitMerge): string {
  const references = referencesOf(experiment, adapters);
  const document = new Document({
    ...methodIn(recipe, modelReference(experiment.base)),
    dtype: "float32",
    out_dtype: dtypeNames[baseDtype],
    ...settingsIn(recipe, references, model),
  });
  // The name of an experiment's file may be anything, and YAML 1.1 has more line ends than one.
  const comment = [
    `The merge of ${experiment.name} by evomerge ${evomergeVersion()}: mergekit-yaml <this file> <folder>`,
    ...(isMerge(recipe) && isRandom(declarationOf(recipe.method))
      ? [
          "mergekit draws elements of its own to drop, and rescales what stays by the L1 norm: another draw of this merge",
        ]
      : []),
    ...forNames(experiment),
  ];
  document.commentBefore = comment.map((line) => ` ${printableLine(line)}`).join("\n");
  visit(document, {
    Collection(_, node) {
      node.flow = isMap(node) ? node.has("filter") : isSeq(node) && !node.items.some(isMap);
    },
  });
  // PyYAML takes a number with an exponent for a text unless it has a point.
  return document.toString({ lineWidth: 0 }).replaceAll(/(value: -?\d+)(?=e-\d)/g, "$1.0");
}

function settingsIn(recipe: Recipe, references: References, model: MergekitMerge["model"]): object {
  switch (recipe.method) {
    case "passthrough":
      return copied(references, recipe.model, model);
    case "stack":
      return stacked(references, recipe, model);
    default:
      return merged(references, recipe, model);
  }
}

/** The method in mergekit's words, and the base: the donor of config.json and of the tokenizer, where that changes no weight. */
function methodIn({ method }: Recipe, base: Reference): object {
  if (method === "passthrough" || method === "stack") return { merge_method: "passthrough", base_model: base };
  if (typeof method !== "string") throw new Error(`mergekit: no method ${method.name}`);
  const { mergekit } = declarations[method];
  return { merge_method: mergekit.method ?? method, ...(mergekit.isWithoutBase ? {} : { base_model: base }) };
}

/** What to do about models that are named as in the recipe, because they are no models of the Hub. */
function forNames({ base, experts }: MergekitMerge["experiment"]): readonly string[] {
  const named = [{ name: BASE, path: base }, ...experts].filter(({ name, path }) => path === name);
  return named.length === 0
    ? []
    : [
        `Local models go by their names; run it where folders have these names: ${named.map(({ name }) => name).join(", ")}`,
      ];
}

/** A slice, since mergekit would add the base to a list of `models`. */
function copied(references: References, name: string, model: MergekitMerge["model"]): object {
  const copy = referenceOf(references, name);
  return byModule(model, (layers) => [{ sources: [{ model: copy, layer_range: [0, layers] }] }]);
}

function referenceOf({ base, experts }: References, name: string): Reference {
  return experts.find((expert) => expert.name === name)?.model ?? base;
}

/**
 * A slice for each layer, with a factor for the weights that add to the hidden states. mergekit takes what stands before the layers
 * from the first slice, and what stands behind them from the last: these are of `rest`, and where its layers do not stand there, of no layers.
 */
function stacked(references: References, { layers, rest }: StackRecipe, model: MergekitMerge["model"]): object {
  const added = allWeights(model).filter(({ isAdded, shape }) => isAdded && shape.length === 2);
  const filters = [...new Set(added.map(({ tensor }) => tensor))];
  const sliceOf = ({ model: name, layer, scale }: StackedLayer): object => {
    const parameters = scale !== 1 && { parameters: { scale: filters.map((filter) => ({ filter, value: scale })) } };
    return {
      sources: [{ model: referenceOf(references, name), layer_range: [layer, layer + 1], ...parameters }],
    };
  };
  const noLayers = { sources: [{ model: referenceOf(references, rest), layer_range: [0, 0] }] };
  return {
    slices: [
      ...(layers[0]?.model === rest ? [] : [noLayers]),
      ...layers.map(sliceOf),
      ...(layers.at(-1)?.model === rest ? [] : [noLayers]),
    ],
  };
}

function merged({ base, experts }: References, recipe: MergeRecipe, model: MergekitMerge["model"]): object {
  if (hasColumns(recipe)) throw new Error("mergekit: no coefficients by column");
  if (typeof recipe.method !== "string") throw new Error(`mergekit: no method ${recipe.method.name}`);
  const declaration = declarations[recipe.method];
  const { needsBase, parameters, mergekit } = declaration;
  const told = (declaration.options ?? []).filter(({ isMergekits }) => !isMergekits);
  const global = { ...mergekit.parameters, ...optionsOf({ options: told }, recipe.options) };
  const namesOf = (owner: "expert" | "model"): string[] =>
    parameters.filter(({ per }) => per === owner).map(({ name }) => name);
  const selectors = selectorsFor(recipe, model);
  const sliceOf = (layer: number, layers: number, module: string | undefined): object => {
    const source = (model: Reference): object => ({ model, layer_range: [layer, Math.min(layer + 1, layers)] });
    const own = selectors.filter(
      (selector) => selector.module?.name === module && isIn(selector.slices, layer, layers),
    );
    // What is one value for all experts is the first's.
    const shared = settingsOf(recipe, experts[0]?.name ?? "", { of: namesOf("model"), selectors: own, layer });
    return {
      sources: [
        // mergekit wants the base among the sources where the formula has it.
        ...(needsBase ? [source(base)] : []),
        ...experts.map(({ name, model }) => {
          const settings = settingsOf(recipe, name, { of: namesOf("expert"), selectors: own, layer });
          return { ...source(model), ...(settings && { parameters: settings }) };
        }),
      ],
      ...(shared && { parameters: shared }),
    };
  };
  return {
    ...(Object.keys(global).length > 0 && { parameters: global }),
    ...byModule(model, (layers, module) =>
      Array.from({ length: Math.max(1, layers) }, (_, layer) => sliceOf(layer, layers, module)),
    ),
  };
}

/** Slices of a model, or of each of its modules; what is in no stack has no layers. */
function byModule(
  { groups, selectors }: MergekitMerge["model"],
  slicesOf: (layers: number, module?: string) => readonly object[],
): object {
  const modules = new Set(selectors.flatMap(({ module }) => module?.name ?? []));
  if (modules.size === 0) return { slices: slicesOf(groups[0]?.layers ?? 0) };
  const slices = Array.from(modules, (module) => {
    const layers = groups.find(({ stack }) => stack === module)?.layers ?? 0;
    return [module, { slices: slicesOf(layers, module) }];
  });
  return { modules: Object.fromEntries(slices) as object };
}

function isIn(slices: Selector["slices"], layer: number, layers: number): boolean {
  return slices === "every" || layer === (slices === "first" ? 0 : Math.max(0, layers - 1));
}

/** One expert's values of some parameters in the slice of a layer; the first filter that a weight's name contains decides. */
function settingsOf(
  { parameters }: MergeRecipe,
  expert: string,
  {
    of,
    selectors,
    layer,
  }: { readonly of: readonly string[]; readonly selectors: readonly RecipeSelector[]; readonly layer: number },
): object | undefined {
  if (of.length === 0) return undefined;
  const settings = of.map((parameter) => [
    parameter,
    selectors.map(({ filter, slices, like }) => ({
      filter,
      value: valueAt(curvesOf(parameters[parameter] ?? {}, like)?.[expert], slices === "every" ? layer : undefined),
    })),
  ]);
  return Object.fromEntries(settings) as object;
}

function valueAt(curve: Curve | undefined, layer: number | undefined): number {
  const value = layer === undefined ? curve?.rest : curve?.layers[layer];
  if (value === undefined) throw new Error(`mergekit: no value for layer ${layer ?? "none"}`);
  return value;
}

type Reference = string | object;

/** The models of an experiment as mergekit names them. */
interface References {
  readonly base: Reference;
  readonly experts: readonly { readonly name: string; readonly model: Reference }[];
}

function referencesOf(
  { base, experts }: MergekitMerge["experiment"],
  adapters: ReadonlySet<string> = new Set(),
): References {
  const own = experts.map(({ name, path }) => {
    if (!adapters.has(name)) return { name, model: modelReference(path) };
    return { name, model: { model: pathOf(base), lora: pathOf(path) } };
  });
  return { base: modelReference(base), experts: own };
}

/** A model as a mapping, which has no signs of its own. */
function pathOf(model: string): object {
  const reference = parseReference(model);
  return reference ? { path: reference.name, revision: reference.revision } : { path: model };
}

/**
 * A model as mergekit names it: `org/name@revision`, or a path. In a text, `@` would begin a revision and `+` an adapter;
 * a path with either is written as a mapping.
 */
function modelReference(model: string): string | object {
  return /[@+]/.test(model) && model.startsWith("/") ? { model: { path: model } } : model;
}
