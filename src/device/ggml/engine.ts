/** The `ggml` engine: the device interface on ggml's prebuilt CPU, CUDA, Vulkan and Metal backends. */
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import pLimit, { type LimitFunction } from "p-limit";
import { UserError } from "../../errors.ts";
import { bytesPerElement, elementCount, type Shape } from "../../tensor/dtype.ts";
import type { Device, DeviceDtype, DeviceMemory, DeviceTensor } from "../device.ts";
import { inOrder, type Expression } from "../expression.ts";
import { loadGgml, setThreads, type Ggml, type Pointer } from "./library.ts";
import { innermostFirst, lower, typeNumber } from "./lowering.ts";

/** enum ggml_backend_dev_type. */
const CPU = 0;
/** Room for the ggml nodes that one expression expands to (attention needs eleven). */
const NODES_PER_EXPRESSION = 12;

/** One stream of computation: a backend and the work space that its graphs reuse. */
interface Lane {
  readonly backend: Pointer;
  readonly workspace: Pointer;
}

/** A tensor's place on the device. */
interface Placed {
  readonly buffer: Pointer;
  readonly bytes: number;
}

/** Opens ggml on the first GPU, or on the CPU where there is none or `backend` asks for it. */
export async function openGgml(options: { backend?: "auto" | "cpu" | "gpu" } = {}): Promise<Device> {
  const { ggml } = loadGgml();
  const devices = Array.from({ length: Number(ggml.deviceCount()) }, (_, index) => ggml.deviceAt(index));
  const gpu = devices.find((device) => ggml.deviceType(device) !== CPU);
  const cpu = devices.find((device) => ggml.deviceType(device) === CPU);
  const device = options.backend === "cpu" ? cpu : options.backend === "gpu" ? gpu : (gpu ?? cpu);
  if (!device)
    throw new UserError(`engine ggml: no ${options.backend ?? "usable"} backend on this machine; run evomerge doctor`);
  return new GgmlDevice(ggml, device);
}

class GgmlDevice implements Device {
  readonly name: string;
  readonly kind: "cpu" | "gpu";
  readonly concurrency: number;
  readonly #ggml: Ggml;
  readonly #bufferType: Pointer;
  readonly #lanes: readonly Lane[];
  readonly #idle: Lane[];
  readonly #limit: LimitFunction;
  readonly #compute: (backend: Pointer, graph: Pointer) => Promise<number>;
  readonly #placed = new Map<DeviceTensor, Placed>();
  readonly #capacityBytes: number;
  #bytes = 0;
  #peakBytes = 0;

  constructor(ggml: Ggml, device: Pointer) {
    this.#ggml = ggml;
    this.kind = ggml.deviceType(device) === CPU ? "cpu" : "gpu";
    this.name = `ggml on ${String(ggml.deviceName(device))} (${String(ggml.deviceDescription(device)).trim()})`;
    this.#capacityBytes = freeBytes(ggml, device);
    this.#bufferType = ggml.deviceBufferType(device);
    // One thread a lane: ggml's spinning barriers collapse when cores are shared, independent candidates do not.
    this.concurrency = this.kind === "cpu" ? availableParallelism() : 1;
    this.#lanes = Array.from({ length: this.concurrency }, () => {
      const backend: Pointer = ggml.openBackend(device, null);
      if (this.kind === "cpu") setThreads(ggml, device, backend, 1);
      return { backend, workspace: ggml.newWorkspace(this.#bufferType) };
    });
    this.#idle = [...this.#lanes];
    this.#limit = pLimit(this.concurrency);
    this.#compute = promisify(ggml.compute.async);
  }

  get memory(): DeviceMemory {
    return { capacityBytes: this.#capacityBytes, bytes: this.#bytes, peakBytes: this.#peakBytes };
  }

  async upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor> {
    const expected = elementCount(shape) * (dtype === "i32" ? 4 : bytesPerElement[dtype]);
    if (bytes.byteLength !== expected) {
      throw new Error(
        `upload: expected ${expected} bytes for ${dtype} [${shape.join(", ")}], found ${bytes.byteLength}`,
      );
    }
    const context = this.#newContext(1);
    try {
      const tensor: DeviceTensor = { dtype, shape };
      const node = this.#newNode(context, tensor);
      this.#place(tensor, node);
      if (expected > 0) this.#ggml.setTensor(node, bytes, 0, expected);
      return tensor;
    } finally {
      this.#ggml.freeContext(context);
    }
  }

  async read(tensor: DeviceTensor): Promise<Uint8Array> {
    const context = this.#newContext(1);
    try {
      const node = this.#existingNode(context, tensor);
      const bytes = new Uint8Array(
        elementCount(tensor.shape) * (tensor.dtype === "i32" ? 4 : bytesPerElement[tensor.dtype]),
      );
      if (bytes.byteLength > 0) this.#ggml.getTensor(node, bytes, 0, bytes.byteLength);
      return bytes;
    } finally {
      this.#ggml.freeContext(context);
    }
  }

  async run(outputs: readonly Expression[]): Promise<DeviceTensor[]> {
    return this.#limit(async () => {
      const lane = this.#idle.pop();
      if (!lane) throw new Error("ggml: no idle lane");
      try {
        return await this.#runOn(lane, outputs);
      } finally {
        this.#idle.push(lane);
      }
    });
  }

  free(...tensors: readonly DeviceTensor[]): void {
    for (const tensor of tensors) {
      const { buffer, bytes } = this.#placeOf(tensor);
      this.#ggml.freeBuffer(buffer);
      this.#placed.delete(tensor);
      this.#count(-bytes);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.free(...this.#placed.keys());
    for (const { backend, workspace } of this.#lanes) {
      this.#count(-this.#workspaceBytes(workspace));
      this.#ggml.freeWorkspace(workspace);
      this.#ggml.closeBackend(backend);
    }
  }

  async #runOn(lane: Lane, outputs: readonly Expression[]): Promise<DeviceTensor[]> {
    const ggml = this.#ggml;
    const order = inOrder(outputs);
    const capacity = (order.length + outputs.length) * NODES_PER_EXPRESSION;
    const context = this.#newContext(capacity, capacity);
    const results: DeviceTensor[] = [];
    try {
      const nodes = new Map<Expression, Pointer>();
      const lowering = { ggml, context, tensorOf: (node: Expression): Pointer => nodes.get(node) };
      for (const node of order) {
        nodes.set(node, node.op === "input" ? this.#existingNode(context, node.tensor) : lower(node, lowering));
      }
      const graph: Pointer = ggml.newGraph(context, capacity, false);
      for (const output of outputs) {
        // A copy of its own: an output may be a view, an input, or asked for twice.
        const node = ggml.cont(context, nodes.get(output));
        const tensor: DeviceTensor = { dtype: output.dtype, shape: output.shape };
        this.#place(tensor, node);
        results.push(tensor);
        ggml.expandGraph(graph, node);
      }
      await this.#computeGraph(lane, graph);
      return results;
    } catch (error) {
      this.free(...results);
      throw error;
    } finally {
      ggml.freeContext(context);
    }
  }

  async #computeGraph(lane: Lane, graph: Pointer): Promise<void> {
    const before = this.#workspaceBytes(lane.workspace);
    if (!this.#ggml.allocGraph(lane.workspace, graph)) throw outOfMemory(this.name, "work space");
    this.#count(this.#workspaceBytes(lane.workspace) - before);
    const status = await this.#compute(lane.backend, graph);
    if (status !== 0) throw new Error(`ggml: computation failed with status ${status}`);
  }

  #workspaceBytes(workspace: Pointer): number {
    return Number(this.#ggml.workspaceSize(workspace, 0));
  }

  #newContext(tensors: number, graphNodes = 0): Pointer {
    const graphBytes = graphNodes > 0 ? Number(this.#ggml.graphOverhead(graphNodes, false)) : 0;
    const memSize = tensors * Number(this.#ggml.tensorOverhead()) + graphBytes;
    return this.#ggml.init({ memSize, memBuffer: null, noAlloc: true });
  }

  #newNode(context: Pointer, { dtype, shape }: DeviceTensor): Pointer {
    return this.#ggml.newTensor(context, typeNumber[dtype], 4, innermostFirst(shape));
  }

  #existingNode(context: Pointer, tensor: DeviceTensor): Pointer {
    const { buffer } = this.#placeOf(tensor);
    const node = this.#newNode(context, tensor);
    this.#ggml.placeTensor(buffer, node, this.#ggml.bufferBase(buffer));
    return node;
  }

  #place(tensor: DeviceTensor, node: Pointer): void {
    const bytes = Number(this.#ggml.allocSize(this.#bufferType, node));
    // ggml gives no buffer for zero bytes.
    const buffer: Pointer = this.#ggml.allocBuffer(this.#bufferType, Math.max(bytes, 1));
    if (!buffer) throw outOfMemory(this.name, `a tensor of ${bytes} bytes`);
    this.#ggml.placeTensor(buffer, node, this.#ggml.bufferBase(buffer));
    this.#placed.set(tensor, { buffer, bytes });
    this.#count(bytes);
  }

  #placeOf(tensor: DeviceTensor): Placed {
    const placed = this.#placed.get(tensor);
    if (!placed)
      throw new Error(
        `ggml: the tensor ${tensor.dtype} [${tensor.shape.join(", ")}] is not on this device; was it freed?`,
      );
    return placed;
  }

  #count(bytes: number): void {
    this.#bytes += bytes;
    this.#peakBytes = Math.max(this.#peakBytes, this.#bytes);
  }
}

function freeBytes(ggml: Ggml, device: Pointer): number {
  const free = [0];
  ggml.deviceMemory(device, free, [0]);
  return Number(free[0]);
}

function outOfMemory(device: string, what: string): UserError {
  return new UserError(
    `${device}: out of memory for ${what}; free the device, or lower rowFraction, population or the batch size`,
  );
}
