import type { TensorSpec } from "../checkpoint/safetensors-header.ts";
import { parseJson } from "../files/json.ts";
import { isJsonObject } from "../files/json-object.ts";
import { withoutMembers } from "../files/json-members.ts";

/** Fields of a config.json by which weights are quantized: of transformers, and of older files of compressed-tensors. */
export const QUANTIZATION_FIELDS: readonly string[] = ["quantization_config", "compression_config"];

/** Fields in which versions of transformers wrote down where a file was read from. */
const ORIGIN_FIELDS = new Set(["_name_or_path", "name_or_path", "tokenizer_file", "special_tokens_map_file"]);

/** A JSON file of the base as an export has it, and what a person should know of it. */
export interface ExportedConfig {
  readonly text: string;
  readonly notices: readonly string[];
}

/**
 * A base's config.json, or tokenizer_config.json, as it is true of an export. One that was left by training on a quantized
 * copy, or by undoing a quantization, says that the weights are quantized, and transformers would not load them. Where on
 * somebody's disk the base was is for nobody to read.
 */
export function exportedConfig(text: string, name: string, dtype: TensorSpec["dtype"]): ExportedConfig {
  const config = parseJson(text, `${name} of the base`, "a JSON object");
  if (!isJsonObject(config)) return { text, notices: [] };
  const fields = Object.keys(config);
  const untrue = fields.filter((field) => name === "config.json" && QUANTIZATION_FIELDS.includes(field));
  const origins = fields.filter((field) => ORIGIN_FIELDS.has(field) && isFolderOrFile(config[field]));
  const leftOut = new Set([...untrue, ...origins]);
  return {
    text: leftOut.size === 0 ? text : withoutMembers(text, leftOut),
    notices: [
      ...untrue.map(
        (field) => `${name} of the base has ${field}, but its weights are plain ${dtype}; the export leaves it out`,
      ),
      ...origins.map((field) => `${name} of the base has a path of a machine in ${field}; the export leaves it out`),
    ],
  };
}

/** Whether a text is a path on some machine's disk, and no name on the Hub. */
function isFolderOrFile(value: unknown): boolean {
  return typeof value === "string" && /^([/~\\]|\.{1,2}[/\\]|[A-Za-z]:[/\\])/.test(value);
}
