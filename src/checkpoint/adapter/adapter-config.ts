import { join } from "node:path";
import { UserError } from "../../errors.ts";
import { isJsonObject, type JsonObject, readJsonObject } from "../../files/json-object.ts";
import { showUntrusted as show } from "../../files/show-untrusted.ts";
import { ADAPTER_FILE } from "../weight-files.ts";
import { patternFor } from "./module-pattern.ts";
import { targetsIn } from "./targets.ts";

/** What an adapter_config.json says of a LoRA adapter that its tensors do not say themselves. */
export interface AdapterConfig {
  /** The folder or model of the Hub, as messages call it. */
  readonly name: string;
  readonly path: string;
  /** Folder or name on the Hub of the model that it was trained on. */
  readonly baseModel: string | undefined;
  /** Of that model. */
  readonly revision: string | undefined;
  readonly hasMagnitudes: boolean;
  /** Whether peft changes a module. */
  readonly isTarget: (module: string) => boolean;
  /** The rank that a module is to have. */
  readonly rankOf: (module: string) => number;
  /** What the product of a module's two matrices is multiplied by. */
  readonly scaleOf: (module: string) => number;
}

/**
 * Fields that change no weight, or that the tensors of the adapter tell themselves. `fan_in_fan_out` is among them because
 * peft, too, goes by the kind of a module and corrects the field.
 */
const SAID_ELSEWHERE = new Set(
  [
    ["alpha_pattern", "auto_mapping", "base_model_name_or_path", "bias", "eva_config", "exclude_modules"],
    ["fan_in_fan_out", "inference_mode", "init_lora_weights", "layers_pattern", "layers_to_transform", "lora_alpha"],
    ["lora_bias", "lora_dropout", "megatron_core", "merge_weights", "modules_to_save", "peft_type", "peft_version"],
    ["qalora_group_size", "r", "rank_pattern", "revision", "runtime_config", "target_modules", "task_type"],
    ["use_dora", "use_rslora"],
  ].flat(),
);

/** Ways to begin training that leave the base as it is; the adapters of others belong to a base that was changed. */
const PLAIN_BEGINNINGS: ReadonlySet<unknown> = new Set([undefined, null, true, false, "gaussian", "eva", "orthogonal"]);

/**
 * Reads the untrusted adapter_config.json of a folder, which messages call by `name`; a UserError for whatever is not
 * honoured, by its own name.
 */
export async function readAdapterConfig(folder: string, name: string = folder): Promise<AdapterConfig> {
  return parseAdapterConfig(await readJsonObject(join(folder, ADAPTER_FILE)), name);
}

function parseAdapterConfig(config: JsonObject, name: string): AdapterConfig {
  const path = join(name, ADAPTER_FILE);
  const fault = (text: string): UserError => new UserError(`${path}: ${text}`);
  const { peft_type: type, init_lora_weights: beginning } = config;
  if (type !== "LORA") throw fault(`expected the peft_type "LORA", found ${show(type)}`);
  if (!PLAIN_BEGINNINGS.has(beginning))
    throw fault(
      `init_lora_weights: ${show(beginning)} changes the base before training; save the adapter with path_initial_model_for_weight_conversion`,
    );
  const unknown = Object.keys(config).find((field) => !SAID_ELSEWHERE.has(field) && !isEmpty(config[field]));
  if (unknown !== undefined)
    throw fault(`${unknown}: ${show(config[unknown])} is not supported; merge it in Python with peft`);
  const ranks = patternsIn(config, "rank_pattern", path, positiveIn);
  const alphas = patternsIn(config, "alpha_pattern", path, numberIn);
  const [rank, alpha] = [positiveIn(config, "r", path), numberIn(config, "lora_alpha", path)];
  const rankOf = (module: string): number => ranks(module) ?? rank;
  const isStabilised = flagIn(config, "use_rslora", path);
  return {
    name,
    path,
    baseModel: textIn(config, "base_model_name_or_path"),
    revision: textIn(config, "revision"),
    hasMagnitudes: flagIn(config, "use_dora", path),
    isTarget: targetsIn(config),
    rankOf,
    scaleOf: (module) => (alphas(module) ?? alpha) / (isStabilised ? Math.sqrt(rankOf(module)) : rankOf(module)),
  };
}

/** As Python takes a value for false. */
function isEmpty(value: unknown): boolean {
  return !value || (typeof value === "object" && Object.keys(value).length === 0);
}

function textIn(config: JsonObject, field: string): string | undefined {
  const value = config[field];
  return typeof value === "string" && value !== "" ? value : undefined;
}

function flagIn(config: JsonObject, field: string, path: string): boolean {
  const value = config[field] ?? false;
  if (typeof value !== "boolean")
    throw new UserError(`${path}: ${field}: expected true or false, found ${show(value)}`);
  return value;
}

function numberIn(config: JsonObject, field: string, path: string, expected = "a number"): number {
  const value = config[field];
  if (typeof value === "number" && Number.isFinite(value)) return value;
  throw new UserError(`${path}: ${field}: expected ${expected}, found ${show(value)}`);
}

function positiveIn(config: JsonObject, field: string, path: string): number {
  const expected = "a number above 0";
  const value = numberIn(config, field, path, expected);
  if (value > 0) return value;
  throw new UserError(`${path}: ${field}: expected ${expected}, found ${show(value)}`);
}

/** The number of the first pattern that a module's name matches. */
function patternsIn(
  config: JsonObject,
  field: string,
  path: string,
  valueIn: typeof positiveIn,
): (module: string) => number | undefined {
  const patterns = config[field] ?? {};
  if (!isJsonObject(patterns)) throw new UserError(`${path}: ${field}: expected an object, found ${show(patterns)}`);
  const all = Object.keys(patterns).map((key) => ({
    matches: patternFor(key, `${path}: ${field}`),
    value: valueIn(patterns, key, `${path}: ${field}`),
  }));
  return (module) => all.find(({ matches }) => matches(module))?.value;
}
