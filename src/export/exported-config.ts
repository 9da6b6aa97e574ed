import type { TensorSpec } from "../checkpoint/safetensors-header.ts";
import { isJsonObject } from "../files/json-object.ts";
import { withoutMembers } from "../files/json-members.ts";

/** How quantized weights are stored, in transformers and in the older files of compressed-tensors. */
const QUANTIZATION = ["quantization_config", "compression_config"] as const;

/** The config.json of an export, and what a person should know of it. */
export interface ExportedConfig {
  readonly text: string;
  readonly notices: readonly string[];
}

/**
 * A base's config.json as it is true of plain weights. One that was left by training on a quantized copy, or by
 * undoing a quantization, says that the weights are quantized, and transformers would not load them.
 */
export function exportedConfig(text: string, dtype: TensorSpec["dtype"]): ExportedConfig {
  const config: unknown = JSON.parse(text);
  const untrue = QUANTIZATION.filter((field) => isJsonObject(config) && Object.hasOwn(config, field));
  if (untrue.length === 0) return { text, notices: [] };
  return {
    text: withoutMembers(text, new Set(untrue)),
    notices: untrue.map(
      (field) => `the base's config.json has ${field}, but its weights are plain ${dtype}: the export leaves it out`,
    ),
  };
}
