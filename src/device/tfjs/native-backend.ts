import { createRequire } from "node:module";
import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../../errors.ts";
import { availableCores } from "../../files/available-cores.ts";
import { freeHostBytes } from "../host-memory.ts";
import { alikeIn, nvidiaGpus, showingOneGpu } from "../nvidia.ts";
import { cpuModel, type Backend } from "./backend.ts";
import { fastHalves } from "./fast-halves.ts";
import { NativeHalves } from "./native-halves.ts";
import { nativeLowering } from "./native-lowerings.ts";
import { NativeOperations } from "./native-operations.ts";
import type { NativePackage } from "./native-package.ts";
import { RawTensorflow, type NativeBackend } from "./raw-tensorflow.ts";

/**
 * Some 25 ms of one core. TensorFlow packs the weight anew for each block of rows: a core that multiplies [1024, 2048]
 * by [32000, 2048] does 222 GFLOP a second at once, 180 in blocks of 10 GFLOP and 27 in blocks of half a GFLOP (AMD Zen 4).
 */
const CORE_SLICE_FLOP = 5e9;

const require: NodeJS.Require = createRequire(import.meta.url);

/**
 * Starts TensorFlow's C library, on a GPU on that one of those that are alike alone: it takes nearly all memory of each that it sees.
 * Throws a UserError where the package's native library or its GPU is missing.
 */
export async function startNative(name: NativePackage, index = 0): Promise<Backend> {
  restoreRemovedUtil();
  // TensorFlow logs to stderr from C++ unless told before it is loaded.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  // Asked before TensorFlow starts, which takes nearly all of it at once.
  const gpus = name === "tfjs-node-gpu" ? await nvidiaGpus() : [];
  const alike = alikeIn(gpus);
  const place = alike[index] ?? index;
  const specifier = `@tensorflow/${name}`;
  const start = async (): Promise<boolean> => {
    load(name, specifier);
    return tf.setBackend("tensorflow");
  };
  if (!(await (name === "tfjs-node-gpu" ? showingOneGpu(place, start) : start()))) {
    throw new UserError(
      `engine ${name}: expected ${specifier} and evomerge to share one copy of @tensorflow/tfjs-core, found two; run npm dedupe`,
    );
  }
  const backend = tf.backend() as unknown as NativeBackend;
  const { isUsingGpuDevice, binding } = backend;
  if (name === "tfjs-node-gpu" && !isUsingGpuDevice) {
    throw new UserError(
      `engine ${name}: expected a GPU, found none that TensorFlow ${binding.TF_Version} can use; check its CUDA libraries or choose the engine tfjs-node`,
    );
  }
  const operations = new NativeOperations(new RawTensorflow(backend));
  const multiplied = fastHalves(operations);
  const products = ["f32", ...multiplied].join(" and ");
  return {
    // Losses depend on what multiplies half floats, in their last digits.
    name: `TensorFlow.js ${name} ${tf.version_core} (TensorFlow ${binding.TF_Version}, products in ${products}) on ${isUsingGpuDevice ? "a GPU" : cpuModel()}`,
    kind: isUsingGpuDevice ? "gpu" : "cpu",
    // Undefined without the driver's tool, as TensorFlow.js cannot tell.
    capacityBytes: isUsingGpuDevice ? gpus[place]?.freeBytes : freeHostBytes(),
    alike: Math.max(1, alike.length),
    limitBytes: Infinity,
    // A GPU is only told what to compute.
    sliceFlop: isUsingGpuDevice ? Infinity : CORE_SLICE_FLOP * availableCores(),
    halves: new NativeHalves(operations),
    lowering: nativeLowering(operations, new Set(multiplied)),
    multiplied,
  };
}

/** tfjs-node 4.22.0 calls util.isNullOrUndefined, which Node 23 removed. */
function restoreRemovedUtil(): void {
  const util = require("node:util") as { isNullOrUndefined?: (value: unknown) => boolean };
  util.isNullOrUndefined ??= (value) => value === null || value === undefined;
}

function load(name: NativePackage, specifier: string): void {
  try {
    require(specifier);
  } catch (cause) {
    const { message, code } = cause as NodeJS.ErrnoException;
    // The first is the package's own error, where its install script did not run.
    const isMissing = message.includes("native addon module");
    if (!isMissing && code !== "ERR_DLOPEN_FAILED") throw cause;
    const fault = isMissing ? "its native library is missing" : `its native library does not load: ${message}`;
    throw new UserError(
      `engine ${name}: ${specifier}: ${fault}; run npm rebuild ${specifier}, which downloads it, or evomerge tensorflow link, which builds it on the TensorFlow of a Python, or choose another engine`,
      { cause },
    );
  }
}
