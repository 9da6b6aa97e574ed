import type { ModelHeader } from "../../src/mergekit/model-places.ts";
import type { PlannedWeight } from "../../src/merge-files/plan.ts";
import { allWeights, type Model } from "../../src/model/architecture.ts";
import { tinyConfig, tinyModel, type TinyModel } from "../tiny-model.ts";

/** The header of a model with weights of one dtype. */
export function headerOf(model: Model, config: Readonly<Record<string, unknown>>): ModelHeader {
  const tensors = allWeights(model).map(({ name, shape }) => [name, { dtype: "bf16", shape }] as const);
  return { folder: "", config, tensors: new Map(tensors) };
}

/** Headers of Llamas of one shape, by name. */
export function llamas(names: readonly string[], options: Omit<TinyModel, "tokenizer"> = {}): Map<string, ModelHeader> {
  return new Map(names.map((name) => [name, headerOf(tinyModel(options), tinyConfig(options))]));
}

/** What a plan has for a weight. */
export function planned(weights: readonly PlannedWeight[], name: string): PlannedWeight {
  const found = weights.find(({ spec }) => spec.name === name);
  if (!found) throw new Error(`no ${name} among ${weights.map(({ spec }) => spec.name).join(", ")}`);
  return found;
}
