import { createRequire } from "node:module";
import { bringsGpu, packagesFor } from "../../src/device/ggml/packages.ts";

/** Whether some package of ggml's for GPUs is installed beside this one. */
export const hasGpuPackage: boolean = packagesFor(`${process.platform}-${process.arch}`)
  .filter(bringsGpu)
  .some(({ name }) => isInstalled(`@node-llama-cpp/${name}`));

/** The optional package of TensorFlow.js that is installed, if any. A process can use that or WebAssembly, not both. */
export const nativeTfjs = (["tfjs-node-gpu", "tfjs-node"] as const).find((name) => isInstalled(`@tensorflow/${name}`));

export function isInstalled(specifier: string): boolean {
  try {
    return createRequire(import.meta.url).resolve(specifier) !== "";
  } catch {
    return false;
  }
}
