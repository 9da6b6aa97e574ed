import { UserError } from "../errors.ts";
import type { Device } from "./device.ts";
import type { EngineName, engines } from "./engine-names.ts";
import { openGgml } from "./ggml/engine.ts";
import { MissingEngine } from "./missing-engine.ts";
import { RefusedSetting } from "./refused-setting.ts";
import { openTfjs } from "./tfjs/open-tfjs.ts";

/** What `auto` tries, in this order, and why a row stands where it does; a named engine tries its own rows. */
const preference: readonly {
  readonly engine: (typeof engines)[number];
  readonly kind: Device["kind"];
  readonly open: (index?: number) => Promise<Device>;
  readonly why: string;
}[] = [
  { engine: "tfjs-node-gpu", kind: "gpu", open: (index) => openTfjs("tfjs-node-gpu", index), why: "it is installed" },
  { engine: "ggml", kind: "gpu", open: (index) => openGgml({ backend: "gpu", index }), why: "it found a GPU" },
  { engine: "ggml", kind: "cpu", open: () => openGgml({ backend: "cpu" }), why: "no GPU can be used" },
  {
    engine: "tfjs-node",
    kind: "cpu",
    open: () => openTfjs("tfjs-node"),
    why: "it is installed and ggml does not run here",
  },
  { engine: "tfjs", kind: "cpu", open: () => openTfjs("wasm"), why: "no native engine runs here" },
];

export interface OpenedDevice {
  readonly device: Device;
  /** One clause for people. */
  readonly why: string;
  /** What is installed for a better engine, or could be, and does not work: a sentence each. */
  readonly notices: readonly string[];
}

/** One of the devices of a machine that are alike. */
export interface DevicePlace {
  readonly kind: Device["kind"];
  /** Among the GPUs that are alike, from 0; of CPUs there is one. */
  readonly index: number;
}

/** Opens a named engine, or the first of the documented order that works; on no other device than that, if one is given. */
export async function openDevice(name: EngineName, place?: DevicePlace): Promise<OpenedDevice> {
  const failures: UserError[] = [];
  for (const { engine, kind, open, why } of preference) {
    if ((name !== "auto" && name !== engine) || (place && place.kind !== kind)) continue;
    try {
      const device = await open(place?.index);
      const broken = failures.filter((failure) => !(failure instanceof MissingEngine));
      return {
        device,
        why: name === "auto" ? why : "it was asked for",
        notices: broken.map(({ message }) => `${message}; ${device.name} takes its place`),
      };
    } catch (error) {
      // Not here or not working: the next one may be. Anything else is a bug and must be seen.
      if (!(error instanceof UserError) || error instanceof RefusedSetting) throw error;
      failures.push(error);
    }
  }
  const last = failures.at(-1);
  if ((name !== "auto" || place) && last) throw last;
  throw new UserError("engine auto: no engine runs on this machine; run evomerge doctor");
}
