import type { Device } from "../device/device.ts";
import { openDevice } from "../device/open-device.ts";
import { UserError } from "../errors.ts";
import type { PluginName } from "../files/plugin-name.ts";
import { callPluginAsync, found } from "./call-plugin.ts";
import { CheckedEngine } from "./checked-engine.ts";
import { type PluginModule, pluginsAt } from "./load-plugins.ts";
import type { EngineOptions } from "./plugin.ts";

const METHODS = ["bytesOf", "upload", "run", "read", "free"] as const;

/** Opens the engine of that name of an experiment's plugins; a UserError where there is none, or what it opens is no device. */
export async function openPluginEngine(
  name: PluginName,
  modules: readonly PluginModule[],
  precision: EngineOptions["precision"],
): Promise<Device> {
  const { engines } = await pluginsAt(modules);
  const engine = engines.get(name);
  if (!engine) {
    const known = [...engines.keys()].join(", ");
    throw new UserError(
      `engine: expected one that is built in${known && `, or of the given plugins ${known}`}, found ${name}`,
    );
  }
  const what = `the engine ${name}`;
  const builtIn: Device[] = [];
  const openBuiltIn: EngineOptions["openBuiltIn"] = async (own) => {
    const { device } = await openDevice(own);
    builtIn.push(device);
    return device;
  };
  const open = (): Device | Promise<Device> => engine.open({ precision, openBuiltIn });
  try {
    return new CheckedEngine(what, await callPluginAsync(`${what}: open`, open, whyNoDevice));
  } catch (error) {
    for (const device of builtIn) await device[Symbol.asyncDispose]();
    throw error;
  }
}

function whyNoDevice(device: unknown): string | undefined {
  if (typeof device !== "object" || device === null) return found("a device", device);
  const own = device as Partial<Device>;
  const lacking = METHODS.find((method) => typeof own[method] !== "function");
  if (lacking !== undefined) return found(`a device with a function ${lacking}`, own[lacking]);
  if (typeof own[Symbol.asyncDispose] !== "function") return "a device with a function [Symbol.asyncDispose]";
  if (typeof own.name !== "string" || !/^[^\p{C}]{1,300}$/u.test(own.name))
    return found("a name of one line", own.name);
  if (own.kind !== "cpu" && own.kind !== "gpu") return found("the kind cpu or gpu", own.kind);
  if (!["f32", "bf16", "f16"].includes(own.fastestProducts ?? ""))
    return found("fastestProducts f32, bf16 or f16", own.fastestProducts);
  const { concurrency = 0 } = own;
  return Number.isInteger(concurrency) && concurrency >= 1 && concurrency <= 1000
    ? undefined
    : found("a concurrency from 1 to 1000", concurrency);
}
