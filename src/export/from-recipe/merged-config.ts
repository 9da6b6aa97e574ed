/** Fields of config.json that a merge by a recipe has otherwise than the model that it takes the file from. */
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { UserError } from "../../errors.ts";
import type { JsonObject } from "../../files/json-object.ts";
import type { LayerOrigin, MergePlan } from "../../mergekit/plan-merge.ts";
import { knownModel } from "../../mergekit/model-places.ts";
import { restackedFields } from "../../model/restacked-config.ts";
import type { Dtype } from "../../tensor/dtype.ts";

const dtypeNames: Readonly<Record<Dtype, string>> = { f32: "float32", f16: "float16", bf16: "bfloat16" };

/** A model as far as its configuration tells. */
type ConfiguredModel = Pick<Checkpoint, "folder" | "config" | "tensors">;

/** What configurations call the number of layers. */
const COUNTS = ["num_hidden_layers", "num_layers", "n_layer", "n_layers"];
/** Of a stack that has a field of its own beside that of another. */
const OWN_COUNTS: Readonly<Record<string, string>> = { decoder: "num_decoder_layers" };

/** The dtype of the merge, and where layers are stacked, their number and what is listed for each. */
export function mergedFields(
  { layers }: Pick<MergePlan, "layers">,
  dtype: Dtype,
  models: ReadonlyMap<string, ConfiguredModel>,
  donor: ConfiguredModel,
): JsonObject {
  const { config } = donor;
  const dtypeFields = ["dtype", "torch_dtype"].filter((field) => typeof config[field] === "string");
  const fields: Record<string, unknown> = {};
  for (const field of dtypeFields.length > 0 ? dtypeFields : ["torch_dtype"]) fields[field] = dtypeNames[dtype];
  for (const [module, origins] of layers) Object.assign(fields, layerFields(module, origins, models, donor));
  return Object.fromEntries(Object.entries(fields).filter(([field, value]) => !Object.is(config[field], value)));
}

function layerFields(
  module: string,
  origins: readonly LayerOrigin[],
  models: ReadonlyMap<string, ConfiguredModel>,
  donor: ConfiguredModel,
): JsonObject {
  const { config } = donor;
  const own = OWN_COUNTS[module];
  const field = own !== undefined && own in config ? own : COUNTS.find((name) => typeof config[name] === "number");
  const count = field === undefined ? undefined : config[field];
  const isInPlace = origins.length === count && origins.every(({ layer }, i) => layer === i);
  if (origins.length === 0 || isInPlace) return {};
  const restacked = knownModel(donor)?.restacked;
  if (restacked) return restackedFields(donor, restacked(origins.map(({ layer }) => layer)));
  if (field === undefined)
    throw new UserError(
      "recipe: slices: config.json says nowhere how many layers the model has, so that no others can be said",
    );
  const lists = Object.keys(config).filter(
    (name) => Array.isArray(config[name]) && listOf(config, name)?.length === count,
  );
  const gathered = lists.map((name) => [
    name,
    origins.map(({ model, layer }) => listOf(models.get(model)?.config ?? {}, name)?.[layer]),
  ]);
  return { [field]: origins.length, ...(Object.fromEntries(gathered) as JsonObject) };
}

function listOf(config: JsonObject, name: string): readonly unknown[] | undefined {
  const value = config[name];
  return Array.isArray(value) ? value : undefined;
}
