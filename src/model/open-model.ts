/** From an untrusted config.json to a model, and the check that a checkpoint holds that model's weights. */
import { join } from "node:path";
import { UserError } from "../errors.ts";
import { sameShape, type Dtype, type Shape } from "../tensor/dtype.ts";
import { allWeights, type Architecture, type Model } from "./architecture.ts";
import { llama } from "./llama.ts";

/** Known architectures; each row names the `model_type` values of config.json that it reads. */
const architectures: readonly Architecture[] = [llama];

/** What a checkpoint says of itself. */
export interface CheckpointHeader {
  readonly folder: string;
  readonly config: Readonly<Record<string, unknown>>;
  readonly tensors: ReadonlyMap<string, { readonly dtype: Dtype; readonly shape: Shape }>;
}

/** Buffers that older checkpoints carry and no forward pass reads. */
const ignorable = /\.rotary_emb\.inv_freq$/;

/** Builds the model that the checkpoint's config.json describes. Throws a UserError for anything it cannot honour. */
export function openModel({ folder, config }: Pick<CheckpointHeader, "folder" | "config">, precision: Dtype): Model {
  const file = join(folder, "config.json");
  const modelType = config["model_type"];
  const architecture = architectures.find(({ modelTypes }) => modelTypes.includes(String(modelType)));
  if (!architecture) {
    const known = architectures.flatMap(({ modelTypes }) => modelTypes).join(", ");
    throw new UserError(`${file}: expected model_type to be one of ${known}, found ${JSON.stringify(modelType)}`);
  }
  const parsed = architecture.config.safeParse(config);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const field = issue?.path.join(".") ?? "";
    throw new UserError(
      `${file}: ${field}: ${issue?.message}, found ${JSON.stringify(config[field])}; this model cannot be run`,
    );
  }
  return parsed.data(precision);
}

/** Refuses a checkpoint that lacks a weight of the model, has another shape, or holds weights the model does not know. */
export function checkWeights(model: Model, { folder, tensors }: CheckpointHeader): void {
  const weights = new Map(allWeights(model).map((weight) => [weight.name, weight]));
  for (const { name, shape } of weights.values()) {
    const found = tensors.get(name);
    if (!found) throw new UserError(`${folder}: tensor ${name} is missing; expected it from config.json`);
    if (!sameShape(found.shape, shape)) {
      throw new UserError(
        `${folder}: tensor ${name}: expected shape [${shape.join(", ")}] from config.json, found [${found.shape.join(", ")}]`,
      );
    }
  }
  const tied = model.head["head"]?.group === "embedding" && model.head["head"].name !== "lm_head.weight";
  for (const name of tensors.keys()) {
    if (weights.has(name) || ignorable.test(name) || (tied && name === "lm_head.weight")) continue;
    throw new UserError(`${folder}: tensor ${name} is not part of this architecture; merging would lose it`);
  }
}
