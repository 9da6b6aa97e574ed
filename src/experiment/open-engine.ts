import type { Device } from "../device/device.ts";
import { openForPrecision } from "../device/exact-f32.ts";
import { type DevicePlace, openDevice } from "../device/open-device.ts";
import type { EngineName } from "../device/engine-names.ts";
import { isPluginName, type PluginName } from "../files/plugin-name.ts";
import type { PluginModule } from "../plugins/load-plugins.ts";
import { openPluginEngine } from "../plugins/plugin-engine.ts";
import type { Precision } from "./experiment.ts";

/** A device, and why it is this one, in one clause. */
export interface OpenedEngine {
  readonly device: Device;
  readonly why: string;
}

/** An engine by its name, and the plugins that may provide it. */
export interface NamedEngine {
  readonly engine: EngineName | PluginName;
  readonly plugins?: readonly PluginModule[];
}

/** Opens an engine, on a device of its own if one is given, and tells what better one does not work here; what `onNotice` throws closes it. */
export async function openEngine(
  { engine, plugins = [], precision }: NamedEngine & { readonly precision: Precision },
  onNotice: (text: string) => void = () => {},
  place?: DevicePlace,
): Promise<OpenedEngine> {
  const exact = precision === "mixed" ? "f32" : precision;
  const { device, why, notices } = await openForPrecision(exact, async () =>
    isPluginName(engine)
      ? { device: await openPluginEngine(engine, plugins, exact), why: "it was asked for", notices: [] }
      : openDevice(engine, place),
  );
  try {
    for (const text of notices) onNotice(text);
  } catch (error) {
    await device[Symbol.asyncDispose]();
    throw error;
  }
  return { device, why };
}
