import type { Device } from "../../src/device/device.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import { nativeTfjs } from "./installed-package.ts";

/** What every machine has for models as a whole: ggml on the CPU, and TensorFlow.js as it is installed. */
export const testedEngines: readonly (readonly [name: string, open: () => Promise<Device>])[] = [
  ["ggml", () => openGgml({ backend: "cpu" })],
  [nativeTfjs ?? "tfjs", () => openTfjs(nativeTfjs)],
];
