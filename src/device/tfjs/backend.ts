import { cpus } from "node:os";
import type { HalfDtype, HalfFloats } from "./half-floats.ts";
import type { Lowering } from "./lowering.ts";

/** A TensorFlow.js backend that is loaded and active in this process. */
export interface Backend {
  /** Package, version and hardware in one line. */
  readonly name: string;
  readonly kind: "cpu" | "gpu";
  /** Bytes free for tensors at the start; undefined where unknown. */
  readonly capacityBytes: number | undefined;
  /** GPUs of this machine of the same name, this one included, as far as that is known. */
  readonly alike?: number;
  /** Bytes of tensors that a device refuses to exceed. */
  readonly limitBytes: number;
  /** Operations of a matrix product between two looks at the event loop. */
  readonly sliceFlop: number;
  readonly halves: HalfFloats;
  readonly lowering: Lowering;
  /** Half formats in which it multiplies faster than in f32, and exactly enough. */
  readonly multiplied: readonly HalfDtype[];
}

/** The model name of the CPU. */
export function cpuModel(): string {
  return cpus()[0]?.model ?? "an unknown CPU";
}
