import { elementCount } from "../../tensor/dtype.ts";
import type { DeviceTensor } from "../device.ts";
import type { Node } from "../expression.ts";
import type { GraphMemory, NodeViews } from "./graph-memory.ts";
import type { Ggml, Pointer } from "./library.ts";
import type { TensorBuffer } from "./spare-buffers.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** In f32; no backend wants tensors to begin at more than every 256th byte. */
const ALIGNED_ELEMENTS = 64;

/**
 * The constants of a graph, one behind the other in one tensor. Each run brings others, and a GPU's driver takes as long over memory
 * for a number, and over its copy, as over those of a thousand.
 */
export class ConstantsBlock {
  readonly tensor: DeviceTensor;
  readonly #ggml: Ggml;
  readonly #memory: GraphMemory;
  readonly #node: Pointer;
  readonly #parts: readonly { readonly nodes: NodeViews; readonly start: number }[];
  readonly #values: Float32Array;

  /** Of constants of these shapes, whose nodes are in that memory. */
  constructor(
    ggml: Ggml,
    memory: GraphMemory,
    constants: readonly { readonly nodes: NodeViews; readonly shape: Node<"constant">["shape"] }[],
  ) {
    let end = 0;
    this.#parts = constants.map(({ nodes, shape }) => {
      const start = end;
      end += ALIGNED_ELEMENTS * Math.ceil(elementCount(shape) / ALIGNED_ELEMENTS);
      return { nodes, start };
    });
    this.#ggml = ggml;
    this.#memory = memory;
    this.#values = new Float32Array(end);
    this.tensor = { dtype: "f32", shape: [end] };
    this.#node = ggml.newTensor(memory.context, typeNumber.f32, 4, innermostFirst(this.tensor.shape));
  }

  get bytes(): number {
    return this.#values.byteLength;
  }

  /** Writes a run's values, in the order of the constructor's, to the tensor's place. */
  bind(place: TensorBuffer, constants: readonly Pick<Node<"constant">, "values">[]): void {
    this.#memory.place([{ node: this.#node, offset: 0n }], place);
    for (const [i, { nodes, start }] of this.#parts.entries()) {
      this.#values.set(constants[i]?.values ?? [], start);
      this.#memory.place(nodes, { ...place, start: place.start + BigInt(start * Float32Array.BYTES_PER_ELEMENT) });
    }
    if (this.bytes > 0) this.#ggml.setTensor(this.#node, new Uint8Array(this.#values.buffer), 0, this.bytes);
  }
}
