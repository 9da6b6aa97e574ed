import koffi from "koffi";
import type { Node } from "../../expression.ts";
import type { NativeCall } from "../c-functions.ts";
import type { CudaDriver } from "./driver.ts";
import { STREAM_OF_THREAD } from "./launch.ts";

/** Elements of f32 behind which a constant may begin: a kernel reads 16 bytes at a time. */
const ALIGNED = 4;

/** Constants one behind the other: a driver takes as long over a copy of one as of all. */
export class ConstantsInOne {
  readonly dtype = "f32";
  readonly shape: readonly number[];
  /** In memory that does not move. */
  readonly values: Float32Array<ArrayBuffer>;
  readonly #starts = new Map<Node<"constant">, number>();

  constructor(constants: readonly Node<"constant">[]) {
    let end = 0;
    for (const constant of constants) {
      this.#starts.set(constant, end);
      end += ALIGNED * Math.ceil(constant.values.length / ALIGNED);
    }
    this.shape = [end];
    this.values = new Float32Array(new ArrayBuffer(end * Float32Array.BYTES_PER_ELEMENT));
    for (const [{ values }, start] of this.#starts) this.values.set(values, start);
  }

  /** In bytes. */
  offsetOf(constant: Node<"constant">): bigint {
    return BigInt((this.#starts.get(constant) ?? NaN) * Float32Array.BYTES_PER_ELEMENT);
  }

  /** A call that copies them to an address. */
  copyTo(
    address: bigint,
    { copy }: Pick<CudaDriver, "copy">,
  ): { readonly call: NativeCall; readonly memory: ArrayBuffer } {
    const { buffer } = this.values;
    const values = [address, koffi.address(buffer), buffer.byteLength, STREAM_OF_THREAD];
    return { call: { place: copy.place, values }, memory: buffer };
  }
}
