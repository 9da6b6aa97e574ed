import * as tf from "@tensorflow/tfjs-core";
import type { Shape } from "../../tensor/dtype.ts";

/** TensorFlow's numbers for types (TF_DataType), of which the binding names those that TensorFlow.js knows. */
export const types = { f32: 1, uint8: 4, i32: 3, bf16: 14, f16: 19 } as const;

interface Result {
  readonly id: number;
  readonly shape: number[];
  readonly dtype: number;
}

/** What this engine uses of the backend that tfjs-node and tfjs-node-gpu register. */
export interface NativeBackend {
  readonly isUsingGpuDevice: boolean;
  readonly binding: {
    readonly TF_Version: string;
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_BOOL: number;
    createTensor(shape: readonly number[], dtype: number, values: Uint8Array): number;
    executeOp(op: string, attributes: readonly object[], inputs: readonly number[], outputs: number): Result[];
  };
  readonly tensorMap: {
    get(dataId: object): { readonly dtype: number };
    set(dataId: object, data: object): void;
  };
  /** Handles of tensors, whose values are brought to the device by it if they were not. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
}

/**
 * TensorFlow's operations on types that TensorFlow.js does not know, by the native binding. Its facts: a Uint8Array becomes a
 * tensor of uint8 on the device, any other of two bytes an element is refused; Bitcast gives bytes another type without a copy;
 * operations take and give any type; of ours only f32 and i32 can be read. A handle lives until it is deleted, so every result is
 * a tensor of TensorFlow.js, which `dispose` and `tidy` delete; one of half floats says that it is float32, and TensorFlow refuses it
 * as such.
 */
export class RawTensorflow {
  readonly #backend: NativeBackend;

  constructor(backend: NativeBackend) {
    this.#backend = backend;
  }

  /** The first result of an operation. Attributes that are numbers are types. */
  compute(op: string, attributes: Readonly<Record<string, number | boolean>>, ...inputs: tf.Tensor[]): tf.Tensor {
    const { binding } = this.#backend;
    const listed = Object.entries(attributes).map(([name, value]) => ({
      name,
      type: typeof value === "number" ? binding.TF_ATTR_TYPE : binding.TF_ATTR_BOOL,
      value,
    }));
    const [result] = binding.executeOp(op, listed, this.#backend.getInputTensorIds(inputs), 1);
    if (result === undefined) throw new Error(`${op}: expected a result of TensorFlow, found none`);
    return this.#own(result);
  }

  /** TensorFlow may read the array for as long as the tensor lives. */
  bytes(values: Uint8Array, shape: Shape): tf.Tensor {
    const id = this.#backend.binding.createTensor(shape, types.uint8, values);
    return this.#own({ id, shape: [...shape], dtype: types.uint8 });
  }

  typeOf({ dataId }: tf.Tensor): number {
    return this.#backend.tensorMap.get(dataId).dtype;
  }

  #own({ id, shape, dtype }: Result): tf.Tensor {
    const dataId = {};
    this.#backend.tensorMap.set(dataId, { shape, dtype, id, values: null, refCount: 1 });
    return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype: dtype === types.i32 ? "int32" : "float32" });
  }
}
