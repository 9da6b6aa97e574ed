import * as tf from "@tensorflow/tfjs-core";
import type { Device } from "../device.ts";
import { startNative } from "./native-backend.ts";
import type { TfjsBackend } from "./open-tfjs.ts";
import { TfjsDevice } from "./tfjs-device.ts";
import { startWasm } from "./wasm-backend.ts";

/** Starts a backend; what it returns makes devices on it. Whoever loads this module loads TensorFlow.js. */
export async function startTfjs(backend: TfjsBackend, index: number): Promise<() => Device> {
  // Otherwise TensorFlow.js prints advice and checks every result.
  tf.enableProdMode();
  const started = await (backend === "wasm" ? startWasm() : startNative(backend, index));
  return () => new TfjsDevice(started);
}
