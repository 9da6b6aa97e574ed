import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../../errors.ts";
import type { Device } from "../device.ts";
import type { Backend } from "./backend.ts";
import { startNative } from "./native-backend.ts";
import { TfjsDevice } from "./tfjs-device.ts";
import { startWasm } from "./wasm-backend.ts";

/** Which TensorFlow.js computes; the last two are optional packages. */
export type TfjsBackend = "wasm" | "tfjs-node" | "tfjs-node-gpu";

/**
 * Opens a device on TensorFlow.js: WebAssembly, or TensorFlow's C library on the CPU or a GPU. Throws a UserError where
 * the package is not installed, and where another of the three is in use: TensorFlow.js has one active backend a process.
 */
export async function openTfjs(backend: TfjsBackend = "wasm"): Promise<Device> {
  if (active !== undefined && active.backend !== backend) {
    throw new UserError(
      `engine ${backend}: expected a process without the engine ${active.backend}, which this one already runs; start another process`,
    );
  }
  active ??= { backend, started: start(backend) };
  try {
    return new TfjsDevice(await active.started);
  } catch (error) {
    active = undefined;
    throw error;
  }
}

let active: { readonly backend: TfjsBackend; readonly started: Promise<Backend> } | undefined;

function start(backend: TfjsBackend): Promise<Backend> {
  // Otherwise TensorFlow.js prints advice and checks every result.
  tf.enableProdMode();
  return backend === "wasm" ? startWasm() : startNative(backend);
}
