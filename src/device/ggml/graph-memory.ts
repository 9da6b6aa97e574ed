import koffi from "koffi";
import type { Ggml, Pointer } from "./library.ts";
import type { TensorFields } from "./tensor-fields.ts";
import type { TensorBuffer } from "./spare-buffers.ts";

/** A tensor's node and all views of it: where each stands, and how many bytes behind the tensor it begins. */
export type NodeViews = readonly { readonly node: Pointer; readonly offset: bigint }[];

/** A context of ggml's in memory of ours, so that its nodes can be brought to other memory once they are part of a graph. */
export class GraphMemory {
  readonly context: Pointer;
  readonly #ggml: Ggml;
  readonly #fields: TensorFields;
  readonly #start: bigint;
  readonly #words: BigUint64Array;
  readonly #floats: Float32Array;

  constructor(ggml: Ggml, fields: TensorFields, bytes: number) {
    // It has whole words, and pages that nothing is written to take no memory.
    const memory = new ArrayBuffer(8 * Math.ceil(bytes / 8));
    this.#ggml = ggml;
    this.#fields = fields;
    this.#start = koffi.address(memory);
    this.#words = new BigUint64Array(memory);
    this.#floats = new Float32Array(memory);
    this.context = ggml.init({ memSize: memory.byteLength, memBuffer: this.#start, noAlloc: true });
  }

  get bytes(): number {
    return this.#words.byteLength;
  }

  /** Where a node's elements lie. */
  dataOf(node: Pointer): bigint {
    return this.#words[this.#wordOf(node) + this.#fields.data] ?? 0n;
  }

  /** Of nodes that are no views, by what was asked for. */
  placed<Key>(keys: ReadonlyMap<Pointer, Key>): ReadonlyMap<Key, NodeViews> {
    const { firstTensor, tensorBehind } = this.#ggml;
    const { viewed, offset } = this.#fields;
    const found = new Map<Key, { readonly node: Pointer; readonly offset: bigint }[]>();
    for (let node = firstTensor(this.context); node; node = tensorBehind(this.context, node)) {
      const word = this.#wordOf(node);
      const whole = this.#words[word + viewed] || (node as bigint);
      const key = keys.get(whole);
      if (key === undefined) continue;
      const places = found.get(key) ?? [];
      places.push({ node, offset: this.#words[word + offset] ?? 0n });
      found.set(key, places);
    }
    return found;
  }

  /** Lets a tensor's nodes lie in a buffer, or stay there. */
  place(placed: NodeViews, { buffer, start }: TensorBuffer): void {
    for (const { node, offset } of placed) {
      const word = this.#wordOf(node);
      this.#words[word + this.#fields.buffer] = buffer as bigint;
      this.#words[word + this.#fields.data] = start + offset;
    }
  }

  /** The factor of a scale. */
  setFactor(scale: Pointer, factor: number): void {
    this.#floats[2 * this.#wordOf(scale) + this.#fields.factor] = factor;
  }

  free(): void {
    this.#ggml.freeContext(this.context);
  }

  #wordOf(node: Pointer): number {
    return Number((node as bigint) - this.#start) / 8;
  }
}
