import type {
  Device,
  DeviceDtype,
  DeviceMemory,
  DeviceTensor,
  Incoming,
  GraphOptions,
} from "../../src/device/device.ts";
import { receive } from "../../src/device/incoming.ts";
import type { Expression } from "../../src/device/expression.ts";
import { OutOfMemory } from "../../src/errors.ts";
import { inOrder } from "../../src/device/graph.ts";
import type { Dtype, Shape } from "../../src/tensor/dtype.ts";

/** A real device that counts what it is asked for and lets a test break in; it computes one run at a time. */
export class ObservedDevice implements Device {
  concurrency = 1;
  mergesInCache = false;
  mergesAtOnce = false;
  /** What it claims, at first with truth. */
  fastestProducts: Dtype;
  kind: "cpu" | "gpu";
  /** Calls so far, and matrix products that they were asked for. */
  readonly counts = { run: 0, upload: 0, products: 0 };
  /** Called before each call with how many there were before it; what it throws, the call throws. */
  before: (call: "run" | "upload", count: number) => void = () => {};
  /** Where tensors take more, the device runs out of memory. */
  mostBytes = Infinity;
  /** The most that tensors took behind a run, which is when it is compared with that. */
  tookBytes = 0;
  /** What the device claims to have had free, in place of the truth. */
  claimed: Partial<DeviceMemory> | undefined;
  readonly #device: Device;

  constructor(device: Device) {
    this.#device = device;
    this.fastestProducts = device.fastestProducts;
    this.kind = device.kind;
  }

  get name(): string {
    return this.#device.name;
  }

  get memory(): DeviceMemory {
    return { ...this.#device.memory, ...this.claimed };
  }

  bytesOf(tensor: DeviceTensor): number {
    return this.#device.bytesOf(tensor);
  }

  async upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor> {
    this.before("upload", this.counts.upload++);
    return this.#device.upload(bytes, dtype, shape);
  }

  async receive(tensor: DeviceTensor): Promise<Incoming> {
    this.before("upload", this.counts.upload++);
    return receive(this.#device, tensor);
  }

  async run(outputs: readonly Expression[], options?: GraphOptions): Promise<DeviceTensor[]> {
    this.before("run", this.counts.run++);
    this.counts.products += inOrder(outputs).filter(({ op }) => op === "matmul").length;
    const results = await this.#device.run(outputs, options);
    const { bytes } = this.#device.memory;
    this.tookBytes = Math.max(this.tookBytes, bytes);
    if (bytes <= this.mostBytes) return results;
    this.#device.free(...results);
    throw new OutOfMemory(`${this.name}: out of memory for a run`);
  }

  read(tensor: DeviceTensor): Promise<Uint8Array> {
    return this.#device.read(tensor);
  }

  free(...tensors: readonly DeviceTensor[]): void {
    this.#device.free(...tensors);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#device[Symbol.asyncDispose]();
  }
}
