import type { Dtype } from "../../tensor/dtype.ts";
import { bytesPerElement } from "../../tensor/dtype.ts";
import { fromFloat32, toFloat32 } from "../../tensor/half.ts";
import type { SlicePace } from "./pace.ts";

/** Widens little-endian bytes to f32, in blocks that keep the event loop alive. */
export async function decode(bytes: Uint8Array, dtype: Dtype, pace: SlicePace): Promise<Float32Array> {
  const width = bytesPerElement[dtype];
  const values = new Float32Array(bytes.length / width);
  for (let begin = 0; begin < values.length; begin += elementsPerBlock) {
    const block = bytes.subarray(begin * width, (begin + elementsPerBlock) * width);
    values.set(toFloat32(block, dtype), begin);
    await pace.pause();
  }
  return values;
}

/** Rounds f32 values to little-endian bytes, ties to even, in blocks that keep the event loop alive. */
export async function encode(values: Float32Array, dtype: Dtype, pace: SlicePace): Promise<Uint8Array> {
  const width = bytesPerElement[dtype];
  const bytes = new Uint8Array(values.length * width);
  for (let begin = 0; begin < values.length; begin += elementsPerBlock) {
    bytes.set(fromFloat32(values.subarray(begin, begin + elementsPerBlock), dtype), begin * width);
    await pace.pause();
  }
  return bytes;
}

const elementsPerBlock = 2 ** 20;
