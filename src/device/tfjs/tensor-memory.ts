import * as tf from "@tensorflow/tfjs-core";
import { UserError } from "../../errors.ts";

/** Owns the tensors of one device and counts their bytes; tensors that share data (views and copies) count once. */
export class TensorMemory {
  #bytes = 0;
  #peakBytes = 0;
  #highBytes = 0;
  readonly #limit: number;
  readonly #owners = new Map<object, { readonly count: number; readonly bytes: number }>();
  readonly #derived = new Map<tf.Tensor, Map<string, tf.Tensor>>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get peakBytes(): number {
    return this.#peakBytes;
  }

  /** The most since `beginHigh`. */
  get highBytes(): number {
    return this.#highBytes;
  }

  beginHigh(): void {
    this.#highBytes = this.#bytes;
  }

  /** Takes ownership of a tensor of so many bytes; throws a UserError, and keeps nothing, above the limit. */
  hold<T extends tf.Tensor>(tensor: T, bytesPerElement = 4): T {
    const { count, bytes } = this.#owners.get(tensor.dataId) ?? { count: 0, bytes: bytesPerElement * tensor.size };
    this.#owners.set(tensor.dataId, { count: count + 1, bytes });
    if (count === 0) this.#bytes += bytes;
    if (this.#bytes > this.#limit) {
      const [needed, limit] = [this.#bytes, this.#limit].map((bytes) => (bytes / 2 ** 30).toFixed(2));
      this.release(tensor);
      throw new UserError(
        `engine tfjs: expected at most ${limit} GiB of tensors, found ${needed} GiB; choose another engine or a smaller model`,
      );
    }
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
    this.#highBytes = Math.max(this.#highBytes, this.#bytes);
    return tensor;
  }

  /** The transpose of a held matrix, or of each of several, kept until the matrix is released. */
  transposed(matrix: tf.Tensor): tf.Tensor {
    const outside = matrix.shape.slice(0, -2).map((_, axis) => axis);
    const order = [...outside, matrix.rank - 1, matrix.rank - 2];
    return this.derived(matrix, "transposed", () => tf.transpose(matrix, order));
  }

  /** What goes by this name and is made of a held tensor, kept until that is released. */
  derived(tensor: tf.Tensor, name: string, make: () => tf.Tensor, bytesPerElement?: number): tf.Tensor {
    const known = this.#derived.get(tensor) ?? new Map<string, tf.Tensor>();
    const made = known.get(name) ?? this.hold(tf.keep(make()), bytesPerElement);
    this.#derived.set(tensor, known.set(name, made));
    return made;
  }

  release(tensor: tf.Tensor): void {
    const derived = this.#derived.get(tensor);
    this.#derived.delete(tensor);
    for (const own of derived?.values() ?? []) this.release(own);
    const { count, bytes } = this.#owners.get(tensor.dataId) ?? { count: 1, bytes: 0 };
    if (count > 1) this.#owners.set(tensor.dataId, { count: count - 1, bytes });
    else {
      this.#owners.delete(tensor.dataId);
      this.#bytes -= bytes;
    }
    tensor.dispose();
  }
}
