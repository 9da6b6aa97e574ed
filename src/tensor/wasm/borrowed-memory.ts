import { growTo, instantiate, type NamedModule, type WasmMemory, wasmMemory, type WasmRun } from "./instantiate.ts";

/** So many are kept that nobody uses. */
const KEPT = 8;

/** Those that nobody uses, the smallest first. */
const idle: WasmMemory[] = [];

/**
 * A memory that a function computes in, lent until it is disposed of. To make one for each tensor, and to clear it away, takes
 * longer than to look at a small tensor. What is in it is what the last one left there.
 */
export class BorrowedMemory implements Disposable {
  readonly #memory: WasmMemory;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly run: WasmRun;

  /** For a module that needs at least so many bytes. */
  constructor(module: NamedModule, size: number) {
    const fitting = idle.findIndex(({ buffer }) => buffer.byteLength >= size);
    this.#memory = idle.splice(fitting, 1)[0] ?? wasmMemory(size);
    growTo(this.#memory, size);
    this.bytes = new Uint8Array(this.#memory.buffer);
    this.run = instantiate(module, this.#memory);
  }

  [Symbol.dispose](): void {
    if (idle.length === KEPT) return;
    idle.push(this.#memory);
    idle.sort((a, b) => a.buffer.byteLength - b.buffer.byteLength);
  }
}
