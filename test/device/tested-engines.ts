import { env } from "node:process";
import type { Device } from "../../src/device/device.ts";
import { openForPrecision } from "../../src/device/exact-f32.ts";
import { openGgml } from "../../src/device/ggml/engine.ts";
import { openTfjs } from "../../src/device/tfjs/open-tfjs.ts";
import { nativeTfjs } from "./installed-package.ts";

type TestedEngine = readonly [name: string, open: () => Promise<Device>];

/** With products of f32 in f32, as models are compared with transformers. */
async function openGpu(): Promise<Device> {
  return (await openForPrecision("f32", openAnyGpu)).device;
}

async function openAnyGpu(): Promise<{ readonly device: Device }> {
  return { device: await openGgml({ backend: "gpu" }) };
}

/**
 * What every machine has for models as a whole: ggml on the CPU, and TensorFlow.js as it is installed, in whose place
 * EVOMERGE_TESTED_GPU=1 puts ggml on this machine's GPU.
 */
export const testedEngines: readonly TestedEngine[] = [
  ["ggml", () => openGgml({ backend: "cpu" })],
  env["EVOMERGE_TESTED_GPU"] ? ["ggml on a GPU", openGpu] : [nativeTfjs ?? "tfjs", () => openTfjs(nativeTfjs)],
];
