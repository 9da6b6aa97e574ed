import type { EventEmitter } from "node:events";
import * as tf from "@tensorflow/tfjs-core";
import { version_wasm as version } from "@tensorflow/tfjs-backend-wasm";
import { freeHostBytes } from "../host-memory.ts";
import { cpuModel, type Backend } from "./backend.ts";
import { heldAsF32 } from "./half-floats.ts";
import { commonLowering } from "./lowerings.ts";

/** Starts the WebAssembly backend: one thread, no native code. It finds its .wasm file beside its own module. */
export async function startWasm(): Promise<Backend> {
  const host: EventEmitter = process;
  const installed = processEvents.map((event) => new Set(host.listeners(event)));
  if (!(await tf.setBackend("wasm"))) throw new Error("The wasm backend of TensorFlow.js did not start");
  for (const [i, event] of processEvents.entries()) {
    for (const listener of host.listeners(event)) {
      if (installed[i]?.has(listener) === false) host.off(event, listener as () => void);
    }
  }
  const simd = (await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) ? "SIMD" : "no SIMD";
  return {
    name: `TensorFlow.js wasm ${version} (${simd}, 1 thread) on ${cpuModel()}`,
    kind: "cpu",
    capacityBytes: Math.min(limitBytes, freeHostBytes()),
    limitBytes,
    // 20 ms.
    sliceFlop: 5e8,
    halves: heldAsF32,
    lowering: commonLowering,
    multiplied: [],
  };
}

/** Events that the Emscripten runtime listens to for good, only to rethrow: the host application decides about them. */
const processEvents = ["uncaughtException", "unhandledRejection"] as const;

/** The heap ends at 4 GiB and then aborts for good; XNNPACK keeps a packed copy of each right-hand matrix in it too. */
const limitBytes = 3 * 2 ** 30;
