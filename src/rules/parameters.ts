import { allWeights, type Weight } from "../model/architecture.ts";
import type { Facts, ModelFacts } from "./facts.ts";

/** How many parameters a model has and how that is known. */
export interface Parameters {
  readonly parameters: number;
  readonly source: string;
}

/** Parameters of a model; those of an adapter count together with those of the base that it changes. */
export function parametersOf(model: ModelFacts, { models: [base] }: Facts): Parameters | undefined {
  const own = ownParameters(model);
  if (!own || !model.adapter) return own;
  const below = base && base !== model ? ownParameters(base) : undefined;
  return (
    below && { parameters: own.parameters + below.parameters, source: `${below.source}, adapter and base together` }
  );
}

function ownParameters({ repository, model, indexedBytes }: ModelFacts): Parameters | undefined {
  if (repository?.source === "hub" && repository.parameters !== undefined) {
    return { parameters: repository.parameters, source: "the headers of its safetensors files" };
  }
  if (model) {
    const parameters = allWeights(model).reduce((sum, weight) => sum + parametersIn(weight), 0);
    return { parameters, source: "the shapes in config.json" };
  }
  if (indexedBytes === undefined) return undefined;
  return { parameters: Math.round(indexedBytes / 2), source: "the bytes in its index, an estimate at 2 bytes each" };
}

/** Parameters of one weight. */
export function parametersIn({ shape }: Weight): number {
  return shape.reduce((product, size) => product * size, 1);
}
