import { UserError } from "../errors.ts";
import type { Device } from "./device.ts";
import { openGgml } from "./ggml/engine.ts";
import { openTfjs } from "./tfjs/open-tfjs.ts";

export type EngineName = "ggml" | "tfjs" | "tfjs-node" | "tfjs-node-gpu";

/** Every engine by its name in experiment files. */
export const engines: Readonly<Record<EngineName, () => Promise<Device>>> = {
  ggml: () => openGgml(),
  tfjs: () => openTfjs("wasm"),
  "tfjs-node": () => openTfjs("tfjs-node"),
  "tfjs-node-gpu": () => openTfjs("tfjs-node-gpu"),
};

/** What `auto` tries, in this order, and why a row stands where it does. */
const preference: readonly { readonly engine: string; readonly open: () => Promise<Device>; readonly why: string }[] = [
  { engine: "tfjs-node-gpu", open: engines["tfjs-node-gpu"], why: "it is installed" },
  { engine: "ggml", open: () => openGgml({ backend: "gpu" }), why: "it found a GPU" },
  { engine: "ggml", open: () => openGgml({ backend: "cpu" }), why: "no GPU was found" },
  { engine: "tfjs-node", open: engines["tfjs-node"], why: "it is installed and ggml does not run here" },
  { engine: "tfjs", open: engines.tfjs, why: "no native engine runs here" },
];

/** Opens a named engine, or the first of the documented order that works; `why` is one clause for people. */
export async function openDevice(name: EngineName | "auto"): Promise<{ device: Device; why: string }> {
  if (name !== "auto") return { device: await engines[name](), why: "it was asked for" };
  for (const { open, why } of preference) {
    try {
      return { device: await open(), why };
    } catch (error) {
      // Not here or not working: the next one may be. Anything else is a bug and must be seen.
      if (!(error instanceof UserError)) throw error;
    }
  }
  throw new UserError("engine auto: no engine runs on this machine; run evomerge doctor");
}
