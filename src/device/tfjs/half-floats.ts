import * as tf from "@tensorflow/tfjs-core";
import type { DeviceDtype } from "../device.ts";
import type { Dtype, Shape } from "../../tensor/dtype.ts";
import { decode, encode } from "./encoding.ts";
import type { SlicePace } from "./pace.ts";
import { rowsOf, takeRows } from "./rows.ts";

export type HalfDtype = Exclude<Dtype, "f32">;

export function isHalf(dtype: DeviceDtype): dtype is HalfDtype {
  return dtype === "bf16" || dtype === "f16";
}

/** How a backend holds bf16 and f16, which TensorFlow.js does not know. What a function returns is the caller's to dispose of. */
export interface HalfFloats {
  readonly bytesPerElement: number;
  /** From little-endian bytes, which the caller may change afterwards. */
  upload(bytes: Uint8Array, dtype: HalfDtype, shape: Shape, pace: SlicePace): Promise<tf.Tensor>;
  read(x: tf.Tensor, dtype: HalfDtype, pace: SlicePace): Promise<Uint8Array>;
  /** To f32, exactly. */
  widen(x: tf.Tensor): tf.Tensor;
  /** From f32 to the nearest, ties to even: the bits of any engine, but for those of NaN. */
  round(x: tf.Tensor, dtype: HalfDtype, pace: SlicePace): Promise<tf.Tensor>;
  reshape(x: tf.Tensor, shape: Shape): tf.Tensor;
  /** `count` rows from `begin`. */
  rows(x: tf.Tensor, begin: number, count: number): tf.Tensor;
  /** Rows by their numbers, in f32. */
  takeRows(table: tf.Tensor, rows: tf.Tensor): tf.Tensor;
  /** x, f32, times y in a half format, both rounded to that: f32. Undefined where f32 is faster, or nearer what is asked. */
  multiply(
    dtype: HalfDtype,
  ): ((x: tf.Tensor, y: tf.Tensor, transposeX: boolean, transposeY: boolean) => tf.Tensor) | undefined;
}

/** As f32 values that the half format can represent; they are rounded on the host. */
export const heldAsF32: HalfFloats = {
  bytesPerElement: 4,
  upload: async (bytes, dtype, shape, pace) => tf.tensor(await decode(bytes, dtype, pace), [...shape], "float32"),
  read: async (x, dtype, pace) => encode(await x.data<"float32">(), dtype, pace),
  widen: tf.clone,
  round: async (x, dtype, pace) => {
    const bytes = await encode(await x.data<"float32">(), dtype, pace);
    return tf.tensor(await decode(bytes, dtype, pace), x.shape, "float32");
  },
  reshape: (x, shape) => tf.reshape(x, [...shape]),
  rows: rowsOf,
  takeRows,
  multiply: () => undefined,
};
