import * as tf from "@tensorflow/tfjs-core";
import type { Shape } from "../../tensor/dtype.ts";

/** TensorFlow's numbers for types (TF_DataType), of which the binding names those that TensorFlow.js knows. */
export const types = { f32: 1, uint8: 4, i32: 3, bf16: 14, f16: 19 } as const;

/** Constants that are kept: those of the shapes and formulas of a model, with room for coefficients, which change. */
const KEPT_CONSTANTS = 1024;

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
    readonly TF_ATTR_INT: number;
    createTensor(shape: readonly number[], dtype: number, values: Uint8Array | Int32Array | Float32Array): number;
    deleteTensor(id: number): void;
    executeOp(op: string, attributes: readonly object[], inputs: readonly number[], outputs: number): Result[];
  };
  readonly tensorMap: {
    get(dataId: object): { readonly dtype: number };
    set(dataId: object, data: object): void;
  };
  /** Handles of tensors, whose values are brought to the device by it if they were not. */
  getInputTensorIds(tensors: readonly tf.Tensor[]): number[];
  /** Somebody else has the tensor's data too, and disposes of it. */
  incRef(dataId: object): void;
}

/** Numbers are types, but for those that are said to be counts. */
export type Attributes = Readonly<Record<string, number | boolean | { readonly count: number }>>;

/** A handle of numbers that stay on the device; not to be kept beyond the operation that it is asked for. */
export class KeptConstant {
  readonly handle: number;

  constructor(handle: number) {
    this.handle = handle;
  }
}

export type Operand = tf.Tensor | KeptConstant;

/**
 * TensorFlow's operations by the native binding: those on types that TensorFlow.js does not know, and all that are computed
 * often, for which TensorFlow.js would make more of them. The binding's facts: a Uint8Array becomes a
 * tensor of uint8 on the device, any other of two bytes an element is refused; Bitcast gives bytes another type without a copy;
 * operations take and give any type; of ours only f32 and i32 can be read. A handle lives until it is deleted, so every result is
 * a tensor of TensorFlow.js, which `dispose` and `tidy` delete; one of half floats says that it is float32, and TensorFlow refuses it
 * as such.
 */
export class RawTensorflow {
  readonly #backend: NativeBackend;
  /** By type and values; the first is the one that was asked for longest ago. */
  readonly #constants = new Map<string, KeptConstant>();
  readonly #listed = new WeakMap<Attributes, readonly object[]>();

  constructor(backend: NativeBackend) {
    this.#backend = backend;
  }

  /** The first result of an operation. */
  compute(op: string, attributes: Attributes, ...inputs: readonly Operand[]): tf.Tensor {
    const [result] = this.computeAll(op, attributes, inputs, 1);
    if (result === undefined) throw new Error(`${op}: expected a result of TensorFlow, found none`);
    return result;
  }

  /** All results of an operation that has so many. */
  computeAll(op: string, attributes: Attributes, inputs: readonly Operand[], count: number): tf.Tensor[] {
    const handles = inputs.map((input) => this.#handleOf(input));
    const results = this.#backend.binding.executeOp(op, this.#list(attributes), handles, count);
    return results.map((result) => this.#own(result));
  }

  /** TensorFlow may read the array for as long as the tensor lives. */
  bytes(values: Uint8Array, shape: Shape): tf.Tensor {
    const id = this.#backend.binding.createTensor(shape, types.uint8, values);
    return this.#own({ id, shape: [...shape], dtype: types.uint8 });
  }

  /** i32 [n]: a shape, dimensions or places. */
  whole(...values: readonly number[]): KeptConstant {
    return this.#constant(`i ${values.join()}`, () =>
      this.#backend.binding.createTensor([values.length], types.i32, Int32Array.from(values)),
    );
  }

  /** i32 [] */
  index(value: number): KeptConstant {
    const create = (): number => this.#backend.binding.createTensor([], types.i32, Int32Array.of(value));
    return this.#constant(`i[] ${value}`, create);
  }

  /** f32 [] */
  number(value: number): KeptConstant {
    const key = Object.is(value, -0) ? "f -0" : `f ${value}`;
    return this.#constant(key, () => this.#backend.binding.createTensor([], types.f32, Float32Array.of(value)));
  }

  /** The same data once more, to be disposed of by itself; nothing is computed. */
  again({ dataId, shape, dtype }: tf.Tensor): tf.Tensor {
    this.#backend.incRef(dataId);
    return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype });
  }

  typeOf({ dataId }: tf.Tensor): number {
    return this.#backend.tensorMap.get(dataId).dtype;
  }

  #constant(key: string, create: () => number): KeptConstant {
    const constant = this.#constants.get(key) ?? new KeptConstant(create());
    this.#constants.delete(key);
    this.#constants.set(key, constant);
    const [oldest] = this.#constants;
    if (oldest && this.#constants.size > KEPT_CONSTANTS) {
      this.#constants.delete(oldest[0]);
      this.#backend.binding.deleteTensor(oldest[1].handle);
    }
    return constant;
  }

  #handleOf(input: Operand): number {
    if (input instanceof KeptConstant) return input.handle;
    const [handle] = this.#backend.getInputTensorIds([input]);
    if (handle === undefined) throw new Error("expected a handle of TensorFlow, found none");
    return handle;
  }

  /** As the binding takes them. */
  #list(attributes: Attributes): readonly object[] {
    const known = this.#listed.get(attributes);
    if (known) return known;
    const { TF_ATTR_TYPE, TF_ATTR_BOOL, TF_ATTR_INT } = this.#backend.binding;
    const listed = Object.entries(attributes).map(([name, value]) => {
      if (typeof value === "object") return { name, type: TF_ATTR_INT, value: value.count };
      return { name, type: typeof value === "number" ? TF_ATTR_TYPE : TF_ATTR_BOOL, value };
    });
    this.#listed.set(attributes, listed);
    return listed;
  }

  #own({ id, shape, dtype }: Result): tf.Tensor {
    const dataId = {};
    this.#backend.tensorMap.set(dataId, { shape, dtype, id, values: null, refCount: 1 });
    return tf.engine().makeTensorFromTensorInfo({ dataId, shape, dtype: dtype === types.i32 ? "int32" : "float32" });
  }
}
