import type { DeviceTensor } from "../device.ts";
import type { Structure } from "../structure.ts";
import type { NativeWork } from "./c-functions.ts";

/** What a computation is kept for. */
export interface GraphStructure extends Structure {
  /** Whether each operation is computed by itself, where others would be computed at once. */
  readonly separately: boolean;
}

/** What a run stores, which is the caller's to free. */
export interface StoredTensors {
  /** Of each output. */
  readonly results: DeviceTensor[];
  /** What holds the constants. */
  readonly constants: readonly DeviceTensor[];
}

/** What computes all that is of one structure, for one run after the other. */
export interface KeptComputation {
  /** Of the host's memory. */
  readonly bytes: number;
  has(computation: GraphStructure): boolean;
  /** Brings it to a computation of its structure. Throws OutOfMemory, and then stores nothing. */
  bind(computation: Structure): StoredTensors;
  /** What computes it as it is bound, once its work space is planned. */
  works(): readonly NativeWork[];
  free(): void;
}
