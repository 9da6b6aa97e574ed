import { isDeepStrictEqual } from "node:util";
import type { RestackedModel } from "./architecture.ts";
import { openModel, type CheckpointHeader } from "./open-model.ts";

/**
 * The fields of config.json that a restacked model has otherwise than its parents: the number of layers, and which type each is
 * where the parents' file says that, or its rule for other layers does not.
 */
export function restackedFields(
  { folder, config }: Pick<CheckpointHeader, "folder" | "config">,
  { identity, layerTypes }: RestackedModel,
): CheckpointHeader["config"] {
  const counted = { num_hidden_layers: layerTypes.length };
  const typed = { ...counted, layer_types: layerTypes };
  if (Array.isArray(config["layer_types"])) return typed;
  const { identity: found } = openModel({ folder, config: { ...config, ...counted } }, "f32");
  return isDeepStrictEqual(found, identity) ? counted : typed;
}
