import koffi from "koffi";
import { OutOfMemory } from "../../errors.ts";
import type { DeviceTensor } from "../device.ts";
import type { Ggml, Pointer } from "./library.ts";
import { MemoryReserve } from "./memory-reserve.ts";
import { whatGgmlSaid } from "./messages.ts";
import { SpareBuffers, type TensorBuffer } from "./spare-buffers.ts";
import { innermostFirst, typeNumber } from "./types-and-sizes.ts";

/** A smaller buffer is not worth asking how much memory is left. */
const LARGE_BYTES = 2 ** 20;

/** The tensors that outlive a computation, each in a buffer of its own. */
export class TensorStore {
  readonly bufferType: Pointer;
  readonly #ggml: Ggml;
  readonly #deviceName: string;
  readonly #placed = new Map<DeviceTensor, TensorBuffer>();
  readonly #spare: SpareBuffers;
  readonly #reserve: MemoryReserve | undefined;
  #bytes = 0;
  #mostBytes = 0;
  #closed = false;

  constructor(ggml: Ggml, device: Pointer, kind: "cpu" | "gpu") {
    this.#ggml = ggml;
    this.#deviceName = String(ggml.deviceName(device));
    this.bufferType = ggml.deviceBufferType(device);
    this.#spare = new SpareBuffers(kind, (buffer) => void ggml.freeBuffer(buffer));
    this.#reserve = kind === "gpu" ? new MemoryReserve(ggml, device) : undefined;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** A context for nodes, whose data lie elsewhere, and for graphs of so many nodes; to be freed by the caller. */
  newContext(tensors: number, ...graphs: readonly number[]): Pointer {
    return this.#ggml.init({ memSize: this.contextBytes(tensors, ...graphs), memBuffer: null, noAlloc: true });
  }

  /** What such a context takes. */
  contextBytes(tensors: number, ...graphs: readonly number[]): number {
    const graphBytes = graphs
      .filter((nodes) => nodes > 0)
      .reduce((sum, nodes) => sum + Number(this.#ggml.graphOverhead(nodes, false)), 0);
    return tensors * Number(this.#ggml.tensorOverhead()) + graphBytes;
  }

  /** A node that stands for a stored tensor in a context. */
  nodeOf(context: Pointer, tensor: DeviceTensor): Pointer {
    const { buffer, start } = this.placeOf(tensor);
    const node = this.newNode(context, tensor);
    this.#ggml.placeTensor(buffer, node, start);
    return node;
  }

  newNode(context: Pointer, { dtype, shape }: DeviceTensor): Pointer {
    return this.#ggml.newTensor(context, typeNumber[dtype], 4, innermostFirst(shape));
  }

  /** Gives a node a buffer that lives until the tensor is freed. */
  store(tensor: DeviceTensor, node: Pointer): void {
    const { buffer, start } = this.add(tensor, this.bytesFor(node));
    this.#ggml.placeTensor(buffer, node, start);
  }

  /** What a buffer for a node needs. */
  bytesFor(node: Pointer): number {
    return Number(this.#ggml.allocSize(this.bufferType, node));
  }

  /** A buffer of so many bytes that lives until the tensor is freed. */
  add(tensor: DeviceTensor, bytes: number): TensorBuffer {
    const own = this.#allocate(this.#spare.sizeFor(bytes));
    if (!own) throw outOfMemory(this.#deviceName, `a tensor of ${bytes} bytes`);
    this.#placed.set(tensor, own);
    this.#bytes += own.bytes;
    this.#mostBytes = Math.max(this.#mostBytes, this.#bytes);
    return own;
  }

  placeOf(tensor: DeviceTensor): TensorBuffer {
    const placed = this.#placed.get(tensor);
    if (placed) return placed;
    throw new Error(
      `ggml: the tensor ${tensor.dtype} [${tensor.shape.join(", ")}] is not on this device; was it freed?`,
    );
  }

  /** A tensor's memory, of which the first `bytes` are its own, where it is the host's. */
  memoryOf(tensor: DeviceTensor, bytes: number): Uint8Array<ArrayBuffer> {
    if (bytes === 0) return new Uint8Array();
    const own = this.placeOf(tensor);
    own.view ??= koffi.view(own.start, own.bytes);
    return new Uint8Array(own.view, 0, bytes);
  }

  /** Whether the device's backend has memory left for what it needs itself. */
  get leavesReserve(): boolean {
    return this.#reserve?.isLeft ?? true;
  }

  /** Gives back memory that is kept for tensors to come; whether there was any. */
  giveWay(): boolean {
    const { bytes } = this.#spare;
    this.#spare.shrinkTo(0);
    return bytes > 0;
  }

  /** Frees a tensor; after `close`, which freed all, there is nothing to do. */
  free(tensor: DeviceTensor): void {
    if (this.#closed) return;
    const own = this.placeOf(tensor);
    this.#spare.put(own);
    this.#placed.delete(tensor);
    this.#bytes -= own.bytes;
  }

  /** Frees every tensor for good. */
  close(): void {
    for (const tensor of this.#placed.keys()) this.free(tensor);
    this.#spare.shrinkTo(0);
    this.#closed = true;
  }

  /** Memory for so many bytes, if there is any; what is spare beside it never makes more of all than were in use at once. */
  #allocate(bytes: number): TensorBuffer | undefined {
    const spare = this.#spare.take(bytes);
    if (spare) return spare;
    this.#spare.shrinkTo(this.#mostBytes - this.#bytes - bytes);
    const buffer = this.#newBuffer(bytes) ?? (this.giveWay() ? this.#newBuffer(bytes) : undefined);
    return buffer ? { buffer, start: this.#ggml.bufferBase(buffer) as bigint, bytes } : undefined;
  }

  #newBuffer(bytes: number): Pointer {
    // ggml gives none for zero bytes.
    const buffer = this.#ggml.allocBuffer(this.bufferType, Math.max(bytes, 1));
    if (!buffer || bytes < LARGE_BYTES || this.leavesReserve) return buffer;
    this.#ggml.freeBuffer(buffer);
    return null;
  }
}

export function outOfMemory(device: string, what: string): OutOfMemory {
  return new OutOfMemory(`${device}: out of memory for ${what}`, whatGgmlSaid());
}
