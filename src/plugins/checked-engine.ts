import type { Device, DeviceDtype, DeviceMemory, DeviceTensor, Incoming, GraphOptions } from "../device/device.ts";
import type { Expression } from "../device/expression.ts";
import { bytesPerElement, type Dtype, elementCount, type Shape } from "../tensor/dtype.ts";
import { callPlugin, callPluginAsync, found } from "./call-plugin.ts";

/** A device of a plugin: what it throws, and results that are not what a device returns, are UserErrors that name it. */
export class CheckedEngine implements Device {
  readonly name: string;
  readonly kind: Device["kind"];
  readonly fastestProducts: Dtype;
  readonly concurrency: number;
  readonly mergesInCache: boolean;
  readonly mergesAtOnce: boolean;
  readonly receive?: (tensor: DeviceTensor) => Promise<Incoming>;
  readonly #what: string;
  readonly #own: Device;

  /** `own` has all that a device has; `what` is what it is called in sentences. */
  constructor(what: string, own: Device) {
    this.#what = what;
    this.#own = own;
    ({ name: this.name, kind: this.kind, fastestProducts: this.fastestProducts, concurrency: this.concurrency } = own);
    this.mergesInCache = own.mergesInCache === true;
    this.mergesAtOnce = own.mergesAtOnce === true;
    const receive = own.receive?.bind(own);
    if (receive) this.receive = (tensor) => this.#received(tensor, receive);
  }

  get memory(): DeviceMemory {
    return callPlugin(`${this.#what}: memory`, () => this.#own.memory, whyNoMemory);
  }

  bytesOf(tensor: DeviceTensor): number {
    return callPlugin(`${this.#what}: bytesOf`, () => this.#own.bytesOf(tensor), whyNoBytes);
  }

  upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor> {
    return this.#awaited("upload", () => this.#own.upload(bytes, dtype, shape), whyNoTensor({ dtype, shape }));
  }

  run(outputs: readonly Expression[], options?: GraphOptions): Promise<DeviceTensor[]> {
    return this.#awaited(
      "run",
      () => this.#own.run(outputs, options),
      (results) => {
        if (!Array.isArray(results) || results.length !== outputs.length)
          return found(`a list of ${outputs.length} tensors, one for each output`, results);
        return outputs.map((output, i) => whyNoTensor(output)(results[i])).find((why) => why !== undefined);
      },
    );
  }

  read(tensor: DeviceTensor): Promise<Uint8Array> {
    const bytes = bytesIn(tensor);
    return this.#awaited("read", () => this.#own.read(tensor), whyNotOf(bytes));
  }

  free(...tensors: readonly DeviceTensor[]): void {
    callPlugin(
      `${this.#what}: free`,
      () => this.#own.free(...tensors),
      () => undefined,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#awaited(
      "closing",
      () => this.#own[Symbol.asyncDispose](),
      () => undefined,
    );
  }

  async #received(tensor: DeviceTensor, receive: Required<Device>["receive"]): Promise<Incoming> {
    const bytes = bytesIn(tensor);
    const incoming = await this.#awaited(
      "receive",
      () => receive(tensor),
      (own) => whyNotOf(bytes)(own?.bytes),
    );
    return {
      bytes: incoming.bytes,
      arrive: () => this.#awaited("arrive", () => incoming.arrive(), whyNoTensor(tensor)),
      giveUp: () => incoming.giveUp(),
    };
  }

  #awaited<T>(name: string, call: () => T | PromiseLike<T>, whyNot: (value: T) => string | undefined): Promise<T> {
    return callPluginAsync(`${this.#what}: ${name}`, call, whyNot);
  }
}

function bytesIn({ dtype, shape }: Pick<DeviceTensor, "dtype" | "shape">): number {
  return elementCount(shape) * (dtype === "i32" ? 4 : bytesPerElement[dtype]);
}

function whyNotOf(length: number): (bytes: unknown) => string | undefined {
  return (bytes) => {
    if (!(bytes instanceof Uint8Array)) return found(`a Uint8Array of ${length} bytes`, bytes);
    return bytes.length === length ? undefined : `${length} bytes, found ${bytes.length}`;
  };
}

function whyNoTensor({
  dtype,
  shape,
}: Pick<DeviceTensor, "dtype" | "shape">): (tensor: DeviceTensor | undefined) => string | undefined {
  return (tensor) =>
    tensor?.dtype === dtype && String(tensor.shape) === String(shape)
      ? undefined
      : found(`a tensor of ${dtype} [${shape.join(", ")}]`, tensor);
}

function whyNoBytes(bytes: unknown): string | undefined {
  return Number.isInteger(bytes) && Number(bytes) >= 0 ? undefined : found("a whole number of bytes", bytes);
}

function whyNoMemory(memory: DeviceMemory): string | undefined {
  if (typeof memory !== "object" || memory === null) return found("bytes that it holds", memory);
  const { capacityBytes = 0, bytes, peakBytes, workBytes } = memory;
  return [capacityBytes, bytes, peakBytes, workBytes].map(whyNoBytes).find((why) => why !== undefined);
}
