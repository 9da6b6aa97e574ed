/** Which modules an adapter_config.json means, where lists say so, as peft's `check_target_module_exists` has it. */
import type { JsonObject } from "../../files/json-object.ts";

/** The first number in a name that is behind two parts at least: of which layer a module is. */
const LAYER = /^.*?\.[^.]*\.(?<layer>\d+)\./;

/**
 * Whether peft changes a module: what a file has for others it passes over in silence. Words, patterns and defaults of families
 * take more than lists; there, tensors are believed.
 */
export function targetsIn(config: JsonObject): (module: string) => boolean {
  const [targets, excluded] = [namesIn(config["target_modules"]), namesIn(config["exclude_modules"])];
  const { layers_pattern: pattern, layers_to_transform: layers } = config;
  const meant = layersIn(layers);
  return (module) => {
    if (excluded && isNamed(module, excluded)) return false;
    if (!targets || targets.includes(module)) return true;
    if (!isNamed(module, targets)) return false;
    if (!meant || (pattern !== null && pattern !== undefined)) return true;
    return meant.includes(Number(LAYER.exec(module)?.groups?.["layer"] ?? NaN));
  };
}

function isNamed(module: string, names: readonly string[]): boolean {
  return names.some((name) => module === name || module.endsWith(`.${name}`));
}

function namesIn(value: unknown): readonly string[] | undefined {
  return Array.isArray(value) && value.length > 0 ? value.filter((name) => typeof name === "string") : undefined;
}

function layersIn(value: unknown): readonly number[] | undefined {
  const layers = [value].flat().filter((layer) => typeof layer === "number");
  return layers.length > 0 ? layers : undefined;
}
