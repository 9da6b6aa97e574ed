import { OutOfMemory } from "../../errors.ts";
import type { DeviceTensor } from "../device.ts";
import type { Ggml, Pointer } from "./library.ts";
import { whatGgmlSaid } from "./messages.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** A tensor's place on the device. */
interface Placed {
  readonly buffer: Pointer;
  readonly bytes: number;
}

/** The tensors that outlive a computation, each in a buffer of its own. */
export class TensorStore {
  readonly bufferType: Pointer;
  readonly #ggml: Ggml;
  readonly #deviceName: string;
  readonly #placed = new Map<DeviceTensor, Placed>();
  #bytes = 0;
  #closed = false;

  constructor(ggml: Ggml, device: Pointer) {
    this.#ggml = ggml;
    this.#deviceName = String(ggml.deviceName(device));
    this.bufferType = ggml.deviceBufferType(device);
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A context for nodes, whose data lie elsewhere, and for graphs of so many nodes; to be freed by the caller. */
  newContext(tensors: number, ...graphs: readonly number[]): Pointer {
    const graphBytes = graphs
      .filter((nodes) => nodes > 0)
      .reduce((sum, nodes) => sum + Number(this.#ggml.graphOverhead(nodes, false)), 0);
    const memSize = tensors * Number(this.#ggml.tensorOverhead()) + graphBytes;
    return this.#ggml.init({ memSize, memBuffer: null, noAlloc: true });
  }

  /** A node that stands for a stored tensor in a context. */
  nodeOf(context: Pointer, tensor: DeviceTensor): Pointer {
    const { buffer } = this.#placeOf(tensor);
    const node = this.newNode(context, tensor);
    this.#ggml.placeTensor(buffer, node, this.#ggml.bufferBase(buffer));
    return node;
  }

  newNode(context: Pointer, { dtype, shape }: DeviceTensor): Pointer {
    return this.#ggml.newTensor(context, typeNumber[dtype], 4, innermostFirst(shape));
  }

  /** Gives a node a buffer that lives until the tensor is freed. */
  store(tensor: DeviceTensor, node: Pointer): void {
    const bytes = Number(this.#ggml.allocSize(this.bufferType, node));
    // ggml gives no buffer for zero bytes.
    const buffer: Pointer = this.#ggml.allocBuffer(this.bufferType, Math.max(bytes, 1));
    if (!buffer) throw outOfMemory(this.#deviceName, `a tensor of ${bytes} bytes`);
    this.#ggml.placeTensor(buffer, node, this.#ggml.bufferBase(buffer));
    this.#placed.set(tensor, { buffer, bytes });
    this.#bytes += bytes;
  }

  /** Frees a tensor; after `close`, which freed all, there is nothing to do. */
  free(tensor: DeviceTensor): void {
    if (this.#closed) return;
    const { buffer, bytes } = this.#placeOf(tensor);
    this.#ggml.freeBuffer(buffer);
    this.#placed.delete(tensor);
    this.#bytes -= bytes;
  }

  /** Frees every tensor for good. */
  close(): void {
    for (const tensor of this.#placed.keys()) this.free(tensor);
    this.#closed = true;
  }

  #placeOf(tensor: DeviceTensor): Placed {
    const placed = this.#placed.get(tensor);
    if (placed) return placed;
    throw new Error(
      `ggml: the tensor ${tensor.dtype} [${tensor.shape.join(", ")}] is not on this device; was it freed?`,
    );
  }
}

export function outOfMemory(device: string, what: string): OutOfMemory {
  return new OutOfMemory(`${device}: out of memory for ${what}`, whatGgmlSaid());
}
