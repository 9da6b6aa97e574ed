import * as tf from "@tensorflow/tfjs-core";
import type { DeviceDtype } from "../device.ts";
import type { Dtype, Shape } from "../../tensor/dtype.ts";
import { decode, encode } from "./encoding.ts";
import type { SlicePace } from "./pace.ts";

export type HalfDtype = Exclude<Dtype, "f32">;

export function isHalf(dtype: DeviceDtype): dtype is HalfDtype {
  return dtype === "bf16" || dtype === "f16";
}

/** How a backend holds bf16 and f16, which TensorFlow.js does not know. */
export interface HalfFloats {
  readonly bytesPerElement: number;
  /** From little-endian bytes, which the caller may change afterwards; the caller's to dispose of. */
  upload(bytes: Uint8Array, dtype: HalfDtype, shape: Shape, pace: SlicePace): Promise<tf.Tensor>;
  read(x: tf.Tensor, dtype: HalfDtype, pace: SlicePace): Promise<Uint8Array>;
}

/** As f32 values that the half format can represent; they are rounded on the host. */
export const heldAsF32: HalfFloats = {
  bytesPerElement: 4,
  upload: async (bytes, dtype, shape, pace) => tf.tensor(await decode(bytes, dtype, pace), [...shape], "float32"),
  read: async (x, dtype, pace) => encode(await x.data<"float32">(), dtype, pace),
};

/** From f32 to the nearest that the half format has, ties to even, on the host. */
export async function roundedOnHost(x: tf.Tensor, dtype: HalfDtype, pace: SlicePace): Promise<tf.Tensor> {
  return heldAsF32.upload(await heldAsF32.read(x, dtype, pace), dtype, x.shape, pace);
}
