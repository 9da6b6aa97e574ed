import { UserError } from "../../errors.ts";
import type { Device } from "../device.ts";
import { checkInstalled, type NativePackage } from "./native-package.ts";

/** Which TensorFlow.js computes; the native ones are optional packages. */
export type TfjsBackend = "wasm" | NativePackage;

/**
 * Opens a device on TensorFlow.js: WebAssembly, or TensorFlow's C library on the CPU or a GPU. Throws a UserError where
 * the package is not installed, and where another of the three is in use: TensorFlow.js has one active backend a process, and
 * of several GPUs that are alike the one that was named first, by its index.
 */
export async function openTfjs(backend: TfjsBackend = "wasm", index = 0): Promise<Device> {
  if (backend !== "wasm") checkInstalled(backend);
  if (active !== undefined && active.backend !== backend) {
    throw new UserError(
      `engine ${backend}: expected a process without the engine ${active.backend}, which this one already runs; start another process`,
    );
  }
  active ??= { backend, started: start(backend, index) };
  try {
    return (await active.started)();
  } catch (error) {
    active = undefined;
    throw error;
  }
}

let active: { readonly backend: TfjsBackend; readonly started: Promise<() => Device> } | undefined;

/** TensorFlow.js takes a quarter of a second to load, which nobody need wait for who computes without it. */
async function start(backend: TfjsBackend, index: number): Promise<() => Device> {
  const { startTfjs } = await import("./start-tfjs.ts");
  return startTfjs(backend, index);
}
