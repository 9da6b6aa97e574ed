import { bytesPerElement, type Dtype, elementCount } from "../../tensor/dtype.ts";
import { fromFloat32 } from "../../tensor/half.ts";
import { RandomStream } from "../../tensor/random.ts";
import type { DeviceTensor } from "../device-tensor.ts";

/** Numbers that are drawn; they repeat, from another place on in every tensor. */
const DRAWN = 2 ** 14;

/** Bytes of a tensor of which nothing is known: numbers as small as those of weights, or zeros where they are whole. Not to be written to. */
export class MadeUpBytes {
  readonly #values: Float32Array;
  /** As many as the largest tensor so far has, and those that are drawn. */
  readonly #filled = new Map<Dtype, Uint8Array>();
  #made = 0;

  constructor() {
    const stream = RandomStream.of(1, "made up");
    this.#values = Float32Array.from({ length: DRAWN }, () => 0.02 * stream.normal());
  }

  of({ dtype, shape }: DeviceTensor): Uint8Array {
    const count = elementCount(shape);
    if (dtype === "i32") return new Uint8Array(4 * count);
    const filled = this.#filledIn(dtype, count);
    const start = (this.#made += 1) % DRAWN;
    return filled.subarray(start * bytesPerElement[dtype], (start + count) * bytesPerElement[dtype]);
  }

  #filledIn(dtype: Dtype, count: number): Uint8Array {
    const known = this.#filled.get(dtype);
    const length = (count + DRAWN) * bytesPerElement[dtype];
    if (known && known.length >= length) return known;
    const drawn = fromFloat32(this.#values, dtype);
    const filled = new Uint8Array(length);
    for (let at = 0; at < length; at += drawn.length) filled.set(drawn.subarray(0, length - at), at);
    this.#filled.set(dtype, filled);
    return filled;
  }
}
