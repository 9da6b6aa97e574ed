import { byteSum, sumOf } from "../tensor/wasm/byte-sum.ts";
import { growTo, instantiate, wasmMemory, type WasmRun } from "../tensor/wasm/instantiate.ts";
import type { Kernel } from "./kernel.ts";

/** The memory that kernels compute in, one after the other. */
export class KernelRunner {
  readonly #memory = wasmMemory(0);
  #bytes = new Uint8Array(this.#memory.buffer);

  /** Puts what a kernel computes with in its place; what is read into `inputBytes` before the next is loaded stays there. */
  load({ module, memory }: Kernel): LoadedKernel {
    growTo(this.#memory, memory.bytes);
    if (this.#bytes.length === 0) this.#bytes = new Uint8Array(this.#memory.buffer);
    for (const [address, values] of memory.values)
      this.#bytes.set(new Uint8Array(values.buffer, values.byteOffset, values.byteLength), address);
    const [run, sum] = [module, byteSum].map((own) => instantiate(own, this.#memory)) as [WasmRun, WasmRun];
    return new LoadedKernel(run, sum, memory, this.#bytes);
  }
}

/** A kernel that is ready for pieces of its inputs. */
export class LoadedKernel {
  readonly #run: WasmRun;
  readonly #sum: WasmRun;
  readonly #memory: Kernel["memory"];
  readonly #bytes: Uint8Array;

  constructor(run: WasmRun, sum: WasmRun, memory: Kernel["memory"], bytes: Uint8Array) {
    this.#run = run;
    this.#sum = sum;
    this.#memory = memory;
    this.#bytes = bytes;
  }

  /** Where so many bytes of an input's piece are to be. */
  inputBytes(index: number, length: number): Uint8Array {
    const address = this.#memory.inputs[index] ?? Number.NaN;
    return this.#bytes.subarray(address, address + length);
  }

  outputBytes(length: number): Uint8Array {
    return this.#bytes.subarray(this.#memory.output, this.#memory.output + length);
  }

  /** The sum of so many bytes of the output by `byteSum`, with that of those before. */
  outputSum(length: number, before: number): number {
    return sumOf(this.outputBytes(length), this.#sum, before);
  }

  /** Computes a piece of so many elements, the first of which is that of the tensor; true says that all its inputs and results are finite. */
  run(start: number, count: number): boolean {
    const { line } = this.#memory;
    if (line === undefined) return this.#run(0, count, 0, 0) === 0;
    let odd = 0;
    for (let first = 0; first < count;) {
      const column = (start + first) % line;
      const length = Math.min(count - first, line - column);
      odd |= this.#run(first, length, column, (start + first - column) / line);
      first += length;
    }
    return odd === 0;
  }
}
