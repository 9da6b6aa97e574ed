import type { Dtype, Shape } from "../tensor/dtype.ts";
import type { DeviceDtype, DeviceTensor } from "./device-tensor.ts";
import type { Expression } from "./expression.ts";

export { storedDtype, type DeviceDtype, type DeviceTensor } from "./device-tensor.ts";

/** Bytes that a device holds in tensors and work space, now and at most since it was opened. */
export interface DeviceMemory {
  /** What the device had free when it was opened; undefined where that is not known. */
  readonly capacityBytes: number | undefined;
  readonly bytes: number;
  readonly peakBytes: number;
  /** Of that, work space: what all runs that may be in flight need at most, as far as they were run. */
  readonly workBytes: number;
}

/** A tensor on its way to a device. The device is not closed before it has arrived or is given up. */
export interface Incoming {
  /** Where its bytes are to be written, as in a file; not to be touched once it has arrived. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  arrive(): Promise<DeviceTensor>;
  giveUp(): void;
}

/** How a graph is computed. */
export interface GraphOptions {
  /**
   * Whether each operation is computed by itself, so that its result has the same bits whatever else is asked for, or is an
   * input where another graph computes it. Otherwise an engine may compute several at once, and round in other places.
   */
  readonly separately?: boolean;
}

/**
 * Where tensors are merged and models run. Every engine implements this interface and passes one contract suite; models
 * and merge methods are written once, as expressions. Closing a device waits for the uploads, runs and reads in flight and
 * frees every tensor; what is begun afterwards is rejected, and freeing again does nothing.
 */
export interface Device extends AsyncDisposable {
  /** Engine, version and hardware in one line, for people and the journal. */
  readonly name: string;
  readonly kind: "cpu" | "gpu";
  /** The format in which it multiplies matrices fastest, as far as that is known. */
  readonly fastestProducts: Dtype;
  /** How many calls of `run` may usefully be in flight at once. */
  readonly concurrency: number;
  /** Whether elementwise operations behind each other, such as a merge, are computed in blocks that stay in a cache; not unless told. */
  readonly mergesInCache?: boolean | undefined;
  /** Whether a run of elementwise operations alone, such as merges, goes over memory once, whatever their number; not unless told. */
  readonly mergesAtOnce?: boolean | undefined;
  /** GPUs of this machine of the same name that the engine finds, this one included; one unless told. */
  readonly alike?: number | undefined;
  readonly memory: DeviceMemory;
  /** Bytes that a tensor takes here, which may be more than in a file. */
  bytesOf(tensor: DeviceTensor): number;
  /** Copies little-endian `bytes` to the device. */
  upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor>;
  /** Memory of a tensor to be, where that is the host's: what is written there need not be uploaded. */
  receive?(tensor: DeviceTensor): Promise<Incoming>;
  /** Computes all outputs in one pass, off the event loop or in slices that keep it alive. Same inputs and options, same bits. */
  run(outputs: readonly Expression[], options?: GraphOptions): Promise<DeviceTensor[]>;
  /** Copies a tensor's bytes back, in its own dtype. */
  read(tensor: DeviceTensor): Promise<Uint8Array>;
  /** Work that already reads a tensor is not disturbed; work that begins afterwards is rejected. */
  free(...tensors: readonly DeviceTensor[]): void;
}
