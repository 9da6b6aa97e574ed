import * as tf from "@tensorflow/tfjs-core";
import { elementCount, type Shape } from "../../tensor/dtype.ts";
import type { HalfDtype, HalfFloats } from "./half-floats.ts";
import { types, type RawTensorflow } from "./raw-tensorflow.ts";

const { f32, i32, uint8 } = types;

/** Half floats in two bytes, on the device, where they are rounded and multiplied too. */
export class NativeHalves implements HalfFloats {
  readonly bytesPerElement = 2;
  readonly #raw: RawTensorflow;
  readonly #multiplied: ReadonlySet<HalfDtype>;

  /** `multiplied`: formats whose products TensorFlow computes faster than those of f32, and exactly enough. */
  constructor(raw: RawTensorflow, multiplied: readonly HalfDtype[]) {
    this.#raw = raw;
    this.#multiplied = new Set(multiplied);
  }

  async upload(bytes: Uint8Array, dtype: HalfDtype, shape: Shape): Promise<tf.Tensor> {
    return this.hold(new Uint8Array(bytes), dtype, shape);
  }

  /** `upload` of bytes that nobody changes. */
  hold(bytes: Uint8Array, dtype: HalfDtype, shape: Shape): tf.Tensor {
    const attributes = { T: uint8, type: types[dtype] };
    return tf.tidy(() => this.#raw.compute("Bitcast", attributes, this.#raw.bytes(bytes, [...shape, 2])));
  }

  async read(x: tf.Tensor): Promise<Uint8Array> {
    const count = elementCount(x.shape);
    const pairs = Math.ceil(count / 2);
    // Bytes cannot be read, but whole numbers of four can.
    const words = tf.tidy(() => {
      const T = this.#raw.typeOf(x);
      const even = this.#padded(this.reshape(x, [count]), 2 * pairs);
      return this.#raw.compute("Bitcast", { T, type: i32 }, this.reshape(even, [pairs, 2]));
    });
    try {
      const values = await words.data<"int32">();
      return new Uint8Array(values.buffer, values.byteOffset, 2 * count).slice();
    } finally {
      words.dispose();
    }
  }

  widen(x: tf.Tensor): tf.Tensor {
    return this.#raw.compute("Cast", { SrcT: this.#raw.typeOf(x), DstT: f32, Truncate: false }, x);
  }

  async round(x: tf.Tensor, dtype: HalfDtype): Promise<tf.Tensor> {
    return this.#rounded(x, types[dtype]);
  }

  reshape(x: tf.Tensor, shape: Shape): tf.Tensor {
    const attributes = { T: this.#raw.typeOf(x), Tshape: i32 };
    return tf.tidy(() => this.#raw.compute("Reshape", attributes, x, numbers(shape)));
  }

  rows(x: tf.Tensor, begin: number, count: number): tf.Tensor {
    const inside = x.shape.slice(1);
    const attributes = { T: this.#raw.typeOf(x), Index: i32 };
    const place = [begin, ...inside.map(() => 0)];
    return tf.tidy(() => this.#raw.compute("Slice", attributes, x, numbers(place), numbers([count, ...inside])));
  }

  takeRows(table: tf.Tensor, rows: tf.Tensor): tf.Tensor {
    const attributes = { Tparams: this.#raw.typeOf(table), Tindices: i32, Taxis: i32 };
    return tf.tidy(() => this.widen(this.#raw.compute("GatherV2", attributes, table, rows, tf.scalar(0, "int32"))));
  }

  multiply(dtype: HalfDtype): ReturnType<HalfFloats["multiply"]> {
    if (!this.#multiplied.has(dtype)) return undefined;
    return (x, y, transposeX, transposeY) => this.product(x, y, transposeX, transposeY);
  }

  /** In the format of y, whether or not that is faster: TensorFlow sums in f32 and rounds the sums to the format too. */
  product(x: tf.Tensor, y: tf.Tensor, transposeX: boolean, transposeY: boolean): tf.Tensor {
    const T = this.#raw.typeOf(y);
    const attributes = { T, adj_x: transposeX, adj_y: transposeY };
    return tf.tidy(() => this.widen(this.#raw.compute("BatchMatMulV2", attributes, this.#rounded(x, T), y)));
  }

  #rounded(x: tf.Tensor, type: number): tf.Tensor {
    return this.#raw.compute("Cast", { SrcT: f32, DstT: type, Truncate: false }, x);
  }

  #padded(x: tf.Tensor, count: number): tf.Tensor {
    const attributes = { T: this.#raw.typeOf(x), Tpaddings: i32 };
    if (x.size === count) return x;
    return this.#raw.compute("Pad", attributes, x, tf.tensor2d([0, count - x.size], [1, 2], "int32"));
  }
}

function numbers(values: readonly number[]): tf.Tensor {
  return tf.tensor1d([...values], "int32");
}
