import { join } from "node:path";
import { Checkpoint } from "../../src/checkpoint/checkpoint.ts";
import type { Device } from "../../src/device/device.ts";
import type { WeightDerivatives } from "../../src/evaluate/differentiate.ts";
import { GenerationScorer } from "../../src/evaluate/generation-scorer.ts";
import type { Prompt } from "../../src/evaluate/pack.ts";
import { ParentWeights, type ParentWeightsOptions } from "../../src/evaluate/parent-weights.ts";
import type { MergeMethod } from "../../src/merge/declarations.ts";
import { stepAt, type MergeRecipe } from "../../src/merge/recipe.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { checkWeights, openModel } from "../../src/model/open-model.ts";
import type { Dtype } from "../../src/tensor/dtype.ts";
import { RandomStream } from "../../src/tensor/random.ts";
import { writeTinyModel, type TinyModel } from "../tiny-model.ts";

export const experts = ["a", "b"];

/** A tiny base and two experts of it, open and ready to be scored. */
export interface TinyFamily extends AsyncDisposable {
  readonly folder: string;
  readonly model: Model;
  readonly checkpoints: ReadonlyMap<string, Checkpoint>;
  readonly parents: ParentWeights;
  readonly scorer: GenerationScorer;
}

export interface TinyFamilyOptions {
  readonly model?: TinyModel;
  /** What is different about expert b. */
  readonly b?: TinyModel;
  /** Whether all parents stay; what they may take and read ahead where it is more than yes or no. */
  readonly resident?: boolean | ParentWeightsOptions;
  readonly batchTokens?: number;
  /** Of matrix products; f32 unless given. */
  readonly precision?: Dtype;
}

/** Writes the family into a folder and opens it on a device. */
export async function openTinyFamily(
  folder: string,
  device: Device,
  { model: options = {}, b = {}, resident = false, batchTokens = 64, precision = "f32" }: TinyFamilyOptions = {},
): Promise<TinyFamily> {
  const perturbed = (seed: number): TinyModel => ({ ...options, perturbed: { seed, by: 0.2 } });
  const members = { base: options, a: perturbed(1), b: { ...perturbed(2), ...b } };
  const checkpoints = new Map<string, Checkpoint>();
  for (const [name, member] of Object.entries(members)) {
    checkpoints.set(name, await Checkpoint.open(await writeTinyModel(join(folder, name), member)));
  }
  const base = checkpoints.get("base")!;
  const model = openModel(base, precision);
  for (const checkpoint of checkpoints.values()) checkWeights(model, checkpoint);
  const parents = new ParentWeights(device, checkpoints, weightsOptions(resident));
  const scorer = new GenerationScorer({ device, model, parents, base: "base", experts, batchTokens });
  const close = async (): Promise<void> => {
    await parents[Symbol.asyncDispose]();
    for (const checkpoint of checkpoints.values()) await checkpoint[Symbol.asyncDispose]();
  };
  return { folder, model, checkpoints, parents, scorer, [Symbol.asyncDispose]: close };
}

/** All parents stay on the device, or one stage at a time and the next one. */
export function weightsOptions(resident: boolean | ParentWeightsOptions): ParentWeightsOptions {
  if (typeof resident === "object") return resident;
  return resident ? { stayBytes: Infinity } : { stayBytes: 0, aheadBytes: 0 };
}

/** A merge whose weights depend on the layer; weights outside the layers have 0.3 and 0.6. */
export function recipeOf(
  layers: number,
  weightAt: (layer: number, expert: number) => number,
  method: MergeMethod = "task_arithmetic",
): MergeRecipe {
  const curves = experts.map((name, expert) => [
    name,
    { layers: Array.from({ length: layers }, (_, layer) => weightAt(layer, expert)), rest: 0.3 * (expert + 1) },
  ]);
  const groups = ["attention", "mlp", "norm", "embedding"];
  return { method, parameters: { weight: Object.fromEntries(groups.map((g) => [g, Object.fromEntries(curves)])) } };
}

/** Another recipe of the same method, a little way along a direction that is given as a recipe. */
export function moved(recipe: MergeRecipe, direction: MergeRecipe, by: number): MergeRecipe {
  const curves = mapValues(recipe.parameters["weight"]!, (byExpert, group) =>
    mapValues(byExpert, ({ layers, rest }, expert) => {
      const along = direction.parameters["weight"]![group]![expert]!;
      return { layers: layers.map((value, i) => value + by * along.layers[i]!), rest: rest + by * along.rest };
    }),
  );
  return { ...recipe, parameters: { weight: curves } };
}

/** How fast a loss changes in that direction, by its derivatives at every weight. */
export function slopeAlong(model: Model, derivatives: WeightDerivatives, direction: MergeRecipe): number {
  return allWeights(model).reduce<number>((sum, weight) => {
    const step = stepAt(direction, weight, experts);
    const values = "values" in step ? step.values["weight"]! : [];
    const own = derivatives[weight.name]!["weight"]!;
    return values.reduce<number>((total, value, i) => total + Number(value) * own[i]![0]!, sum);
  }, 0);
}

function mapValues<T, U>(record: Readonly<Record<string, T>>, to: (value: T, name: string) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value, name)]));
}

/** `count` merges that differ from the first layer on. */
export function distinctRecipes(count: number, layers: number): MergeRecipe[] {
  return Array.from({ length: count }, (_, i) =>
    recipeOf(layers, (layer, expert) => (i + 1) / (count + layer + expert)),
  );
}

/** Random prompts of different lengths with one to three continuations. */
export function randomPrompts(count: number, { vocabulary = 40, seed = 1 } = {}): Prompt[] {
  const random = RandomStream.of(seed, "prompts");
  const ids = (from: number, spread: number): Int32Array =>
    Int32Array.from({ length: from + random.integer(spread) }, () => random.integer(vocabulary));
  return Array.from({ length: count }, () => ({
    context: ids(3, 12),
    continuations: Array.from({ length: 1 + random.integer(3) }, () => ids(1, 4)),
  }));
}
