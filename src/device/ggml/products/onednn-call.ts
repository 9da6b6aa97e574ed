import type { Pointer } from "../library.ts";
import { check, type DnnlFunctions, DnnlObjects, IN_ORDER, NOWHERE } from "./onednn-functions.ts";

/** A primitive, and what each memory is to it and how that is laid out; its scratchpad comes last. */
interface Executed {
  readonly primitive: Pointer;
  readonly memory: readonly { readonly argument: number; readonly layout: Pointer }[];
  /** Where that lies until it is lent. */
  readonly scratchpad: bigint;
}

/** The call that executes a primitive on some memory, and on other memory when it is pointed there. */
export class DnnlCall {
  readonly values: readonly unknown[];
  readonly #dnnl: DnnlFunctions;
  readonly #objects = new DnnlObjects();
  readonly #memory: readonly Pointer[];
  readonly #addresses: bigint[];

  constructor(dnnl: DnnlFunctions, engine: Pointer, { primitive, memory, scratchpad }: Executed) {
    this.#dnnl = dnnl;
    const { newMemory, freeMemory, newStream, freeStream } = dnnl;
    this.#addresses = memory.map((_, i) => (i === memory.length - 1 ? scratchpad : NOWHERE));
    try {
      this.#memory = memory.map(({ layout }, i) =>
        this.#objects.make((out) => newMemory(out, layout, engine, this.#addresses[i]), freeMemory),
      );
      const stream = this.#objects.make((out) => newStream(out, engine, IN_ORDER), freeStream);
      // dnnl_exec_arg_t: an int, which is padded, and a pointer.
      const pairs = memory.flatMap(({ argument }, i) => [BigInt(argument), this.#memory[i] as bigint]);
      this.values = [primitive, stream, memory.length, BigInt64Array.from(pairs)];
    } catch (error) {
      this.#objects.free();
      throw error;
    }
  }

  /** To where all but the scratchpad lie, in their order. */
  point(addresses: readonly bigint[]): void {
    for (const [i, address] of addresses.entries()) this.#pointAt(i, address);
  }

  lend(scratchpad: bigint): void {
    this.#pointAt(this.#memory.length - 1, scratchpad);
  }

  free(): void {
    this.#objects.free();
  }

  #pointAt(i: number, address: bigint): void {
    if (this.#addresses[i] === address) return;
    check(this.#dnnl.setAddress(this.#memory[i], address));
    this.#addresses[i] = address;
  }
}
