import type * as tf from "@tensorflow/tfjs-core";
import { sameShape, type Shape } from "../../tensor/dtype.ts";
import { types, type Attributes, type Operand, type RawTensorflow } from "./raw-tensorflow.ts";

const ofF32: Attributes = { T: types.f32 };
const reducing: Attributes = { T: types.f32, Tidx: types.i32, keep_dims: true };
const shifting: Attributes = { T: types.f32, Tshift: types.i32, Taxis: types.i32 };

/** TensorFlow's operations as the lowerings take them: one call, one operation. f32 where no type is told. */
export class NativeOperations {
  readonly raw: RawTensorflow;

  constructor(raw: RawTensorflow) {
    this.raw = raw;
  }

  unary(
    op: "Abs" | "Cos" | "Relu" | "Rsqrt" | "Sigmoid" | "Sin" | "Softmax" | "Square" | "Tanh",
    x: tf.Tensor,
  ): tf.Tensor {
    return this.raw.compute(op, ofF32, x);
  }

  /** One is repeated along the dimensions of the other, the last first. */
  binary(op: "AddV2" | "Sub" | "Mul" | "RealDiv", x: tf.Tensor, y: Operand): tf.Tensor {
    return this.raw.compute(op, ofF32, x, y);
  }

  /** What `op` passes back: from its result where it is Sigmoid, from its operand where it is Relu. */
  passBack(op: "SigmoidGrad" | "ReluGrad", x: tf.Tensor, y: tf.Tensor): tf.Tensor {
    return this.raw.compute(op, ofF32, x, y);
  }

  /** Over some dimensions, which stay as 1. */
  reduce(op: "Sum" | "Mean", x: tf.Tensor, axes: readonly number[]): tf.Tensor {
    return this.raw.compute(op, reducing, x, this.raw.whole(...axes));
  }

  /** Of any type; the tensor itself where it has the shape. */
  reshape(x: tf.Tensor, shape: Shape): tf.Tensor {
    if (sameShape(x.shape, shape)) return x;
    return this.raw.compute("Reshape", { T: this.raw.typeOf(x), Tshape: types.i32 }, x, this.raw.whole(...shape));
  }

  permute(x: tf.Tensor, order: readonly number[]): tf.Tensor {
    return this.raw.compute("Transpose", { T: types.f32, Tperm: types.i32 }, x, this.raw.whole(...order));
  }

  /** Indices of the last dimension move up by so many, and those that leave it begin it. */
  shift(x: tf.Tensor, by: number): tf.Tensor {
    return this.raw.compute("Roll", shifting, x, this.raw.index(by), this.raw.index(x.rank - 1));
  }

  /** Of any type, along the last dimension. */
  concat(parts: readonly tf.Tensor[]): tf.Tensor {
    const [first] = parts;
    if (!first) throw new Error("concat: expected a tensor, found none");
    const attributes = { T: this.raw.typeOf(first), N: { count: parts.length }, Tidx: types.i32 };
    return this.raw.compute("ConcatV2", attributes, ...parts, this.raw.index(first.rank - 1));
  }

  /** x0 + x1, and so on, added in that order; at most eight. */
  sum(terms: readonly tf.Tensor[]): tf.Tensor {
    return this.raw.compute("AddN", { T: types.f32, N: { count: terms.length } }, ...terms);
  }

  /** Indices of the first dimension, of any type. */
  take(x: tf.Tensor, rows: tf.Tensor): tf.Tensor {
    const attributes = { Tparams: this.raw.typeOf(x), Tindices: types.i32, Taxis: types.i32 };
    return this.raw.compute("GatherV2", attributes, x, rows, this.raw.index(0));
  }

  /** `count` indices of the first dimension, of any type. */
  slice(x: tf.Tensor, begin: number, count: number): tf.Tensor {
    const inside = x.shape.slice(1);
    const place = this.raw.whole(begin, ...inside.map(() => 0));
    return this.raw.compute(
      "Slice",
      { T: this.raw.typeOf(x), Index: types.i32 },
      x,
      place,
      this.raw.whole(count, ...inside),
    );
  }

  /** Between any two types. */
  convert(x: tf.Tensor, to: number): tf.Tensor {
    return this.raw.compute("Cast", { SrcT: this.raw.typeOf(x), DstT: to, Truncate: false }, x);
  }

  /** Of the last two dimensions, both of one type. */
  product(x: tf.Tensor, y: tf.Tensor, transposeX: boolean, transposeY: boolean): tf.Tensor {
    const attributes = { T: this.raw.typeOf(y), adj_x: transposeX, adj_y: transposeY };
    return this.raw.compute("BatchMatMulV2", attributes, x, y);
  }
}
