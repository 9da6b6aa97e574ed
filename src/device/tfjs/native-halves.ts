import * as tf from "@tensorflow/tfjs-core";
import { elementCount, type Shape } from "../../tensor/dtype.ts";
import type { HalfDtype, HalfFloats } from "./half-floats.ts";
import type { NativeOperations } from "./native-operations.ts";
import { types } from "./raw-tensorflow.ts";

const { i32, uint8 } = types;

/** Half floats in two bytes, on the device, where operations round to them, widen them, and multiply by them: bit for bit as any engine, but for NaN. */
export class NativeHalves implements HalfFloats {
  readonly bytesPerElement = 2;
  readonly #operations: NativeOperations;

  constructor(operations: NativeOperations) {
    this.#operations = operations;
  }

  async upload(bytes: Uint8Array, dtype: HalfDtype, shape: Shape): Promise<tf.Tensor> {
    return this.hold(new Uint8Array(bytes), dtype, shape);
  }

  /** `upload` of bytes that nobody changes. */
  hold(bytes: Uint8Array, dtype: HalfDtype, shape: Shape): tf.Tensor {
    const { raw } = this.#operations;
    return tf.tidy(() => raw.compute("Bitcast", { T: uint8, type: types[dtype] }, raw.bytes(bytes, [...shape, 2])));
  }

  async read(x: tf.Tensor): Promise<Uint8Array> {
    const count = elementCount(x.shape);
    const pairs = Math.ceil(count / 2);
    const { raw } = this.#operations;
    // Bytes cannot be read, but whole numbers of four can.
    const words = tf.tidy(() => {
      const even = this.#padded(this.#operations.reshape(x, [count]), 2 * pairs);
      return raw.compute("Bitcast", { T: raw.typeOf(x), type: i32 }, this.#operations.reshape(even, [pairs, 2]));
    });
    try {
      const values = await words.data<"int32">();
      return new Uint8Array(values.buffer, values.byteOffset, 2 * count).slice();
    } finally {
      words.dispose();
    }
  }

  #padded(x: tf.Tensor, count: number): tf.Tensor {
    const { raw } = this.#operations;
    if (x.size === count) return x;
    const behind = tf.tensor2d([0, count - x.size], [1, 2], "int32");
    return raw.compute("Pad", { T: raw.typeOf(x), Tpaddings: i32 }, x, behind);
  }
}
