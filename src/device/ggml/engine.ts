/** The `ggml` engine: the device interface on ggml's prebuilt CPU, CUDA, Vulkan and Metal backends. */
import { promisify } from "node:util";
import { UserError } from "../../errors.ts";
import { availableCores } from "../../files/available-cores.ts";
import { bytesPerElement, elementCount, type Dtype, type Shape } from "../../tensor/dtype.ts";
import type { Device, DeviceDtype, DeviceMemory, DeviceTensor, Incoming, GraphOptions } from "../device.ts";
import { freeHostBytes } from "../host-memory.ts";
import type { Expression } from "../expression.ts";
import { structureOf } from "../structure.ts";
import { WorkInFlight } from "../work-in-flight.ts";
import type { CompiledTexts } from "./cuda/compiled.ts";
import { openKernels } from "./cuda/open-kernels.ts";
import { mergesLikeCpu } from "./cuda/trial.ts";
import { attentionSupport, isExactEnough } from "./attention-node.ts";
import type { GraphDevice } from "./build-graph.ts";
import { multipliesBf16 } from "./cpu-features.ts";
import { GraphRunner } from "./graph-runner.ts";
import { Lanes } from "./lanes.ts";
import { featuresOf, type CFunction, type Ggml, type Pointer } from "./library.ts";
import { freeBytes } from "./memory-reserve.ts";
import { missingGpu } from "./missing-gpu.ts";
import { findProducts } from "./products/find-products.ts";
import type { ProductLibrary } from "./products/product-library.ts";
import { hardwareOf, startGgml } from "./start.ts";
import { TensorStore } from "./tensor-store.ts";

/** enum ggml_backend_dev_type. */
const CPU = 0;

/** A copy of this size would hold the event loop up for about a millisecond. */
const LARGE_BYTES = 2 ** 22;

export interface GgmlOptions {
  readonly backend: "cpu" | "gpu";
  /** What multiplies matrices on CPUs, as EVOMERGE_PRODUCTS says it unless given: a library's file, or `ggml` itself. */
  readonly products?: string | undefined;
  /** Which of the GPUs that are alike, from 0; the first unless given. */
  readonly index?: number | undefined;
  /** Whether attention in bf16 is one node where the backend has that; where it is exact enough unless given. */
  readonly fusesAttention?: boolean | undefined;
  /** Whether graphs are written as they are for CUDA; where the device is one of CUDA unless given. */
  readonly isCuda?: boolean | undefined;
}

/** Opens ggml on the CPU or on a GPU. Throws a UserError that says what is missing. */
export async function openGgml({ backend, products, index = 0, ...options }: GgmlOptions): Promise<Device> {
  const { ggml, cpu, gpus, attempts } = await startGgml();
  if (backend === "cpu") {
    const { library } = await findProducts(products);
    return new GgmlDevice(ggml, cpu, { ...options, products: library });
  }
  const alike = gpus.length;
  if (alike === 0) throw await missingGpu(attempts);
  const gpu = gpus[index];
  if (!gpu) throw new UserError(`engine ggml: expected more than ${index} GPUs alike, found ${alike}`);
  const kernels = await openKernels(ggml, gpu);
  const device = new GgmlDevice(ggml, gpu, { ...options, alike, kernels });
  if (!kernels || (await mergesLikeCpu(device))) return device;
  await device[Symbol.asyncDispose]();
  return new GgmlDevice(ggml, gpu, { ...options, alike });
}

interface DeviceOptions extends Pick<GgmlOptions, "fusesAttention" | "isCuda"> {
  readonly products?: ProductLibrary | undefined;
  readonly alike?: number;
  readonly kernels?: CompiledTexts | undefined;
}

class GgmlDevice implements Device {
  readonly name: string;
  readonly kind: "cpu" | "gpu";
  readonly fastestProducts: Dtype;
  readonly concurrency: number;
  readonly mergesInCache: boolean;
  readonly mergesAtOnce: boolean;
  readonly alike: number;
  readonly #ggml: Ggml;
  readonly #store: TensorStore;
  readonly #fuses: GraphDevice["fuses"];
  readonly #lanes: Lanes;
  readonly #runner: GraphRunner;
  readonly #kernels: CompiledTexts | undefined;
  readonly #products: ProductLibrary | undefined;
  readonly #capacityBytes: number | undefined;
  readonly #work: WorkInFlight;
  readonly receive?: (tensor: DeviceTensor) => Promise<Incoming>;

  constructor(ggml: Ggml, device: Pointer, { products, alike = 1, kernels, ...options }: DeviceOptions) {
    this.#ggml = ggml;
    this.alike = alike;
    this.#products = products;
    this.#kernels = kernels;
    this.kind = ggml.deviceType(device) === CPU ? "cpu" : "gpu";
    this.fastestProducts = this.#multipliesBf16(device) ? "bf16" : "f32";
    this.name = `ggml on ${hardwareOf(ggml, device)}${products ? `, products by ${products.name}` : ""}`;
    this.#work = new WorkInFlight(this.name);
    // Of a CPU, ggml reports all of the machine's memory as free.
    this.#capacityBytes = this.kind === "cpu" ? freeHostBytes() : freeBytes(ggml, device);
    this.#store = new TensorStore(ggml, device, this.kind);
    const fuses = options.fusesAttention ?? isExactEnough(ggml, device);
    this.#fuses = fuses ? attentionSupport(ggml, device, this.#store) : undefined;
    this.concurrency = this.kind === "cpu" ? availableCores() : 1;
    this.mergesInCache = this.kind === "cpu";
    this.mergesAtOnce = kernels !== undefined;
    const { name, kind, concurrency } = this;
    this.#lanes = new Lanes(ggml, concurrency, { name, kind, device, bufferType: this.#store.bufferType });
    const [store, lanes, isCpu] = [this.#store, this.#lanes, kind === "cpu"];
    const isCuda = options.isCuda ?? String(ggml.deviceName(device)).startsWith("CUDA");
    this.#runner = new GraphRunner({
      name,
      ggml,
      store,
      lanes,
      isCpu,
      isCuda,
      library: products,
      fuses: this.#fuses,
      kernels,
    });
    if (this.kind === "cpu") this.receive = (tensor) => this.#receive(tensor);
  }

  get memory(): DeviceMemory {
    // Of work space, what a run is on: the rest is kept for the next.
    const bytes = this.#store.bytes + this.#lanes.busyBytes;
    return {
      capacityBytes: this.#capacityBytes,
      bytes,
      peakBytes: Math.max(this.#runner.peakBytes, bytes),
      workBytes: this.#lanes.bytes,
    };
  }

  bytesOf({ dtype, shape }: DeviceTensor): number {
    return elementCount(shape) * (dtype === "i32" ? 4 : bytesPerElement[dtype]);
  }

  upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor> {
    return this.#work.begin([], () => this.#upload(bytes, { dtype, shape }));
  }

  read(tensor: DeviceTensor): Promise<Uint8Array> {
    return this.#work.begin([tensor], () =>
      this.#within(async (context) => {
        const node = this.#store.nodeOf(context, tensor);
        const bytes = new Uint8Array(this.bytesOf(tensor));
        await this.#transfer(this.#ggml.getTensor, node, bytes);
        return bytes;
      }),
    );
  }

  run(outputs: readonly Expression[], { separately = false }: GraphOptions = {}): Promise<DeviceTensor[]> {
    // A graph of ggml without nodes ends the process.
    if (outputs.length === 0) return this.#work.begin([], async () => []);
    // Otherwise either way is the same.
    const computation = { ...structureOf(outputs), separately: separately && this.#fuses !== undefined };
    return this.#work.begin(computation.tensors, () => this.#runner.run(outputs, computation));
  }

  free(...tensors: readonly DeviceTensor[]): void {
    for (const tensor of tensors) this.#work.free(tensor, () => this.#store.free(tensor));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#work.close(async () => {
      this.#store.close();
      await this.#lanes.close();
      this.#kernels?.close();
    });
  }

  #receive({ dtype, shape }: DeviceTensor): Promise<Incoming> {
    return new Promise((resolve, reject) => {
      const begun = this.#work.begin(
        [],
        () => new Promise<void>((over) => resolve(this.#place({ dtype, shape }, over))),
      );
      begun.catch(reject);
    });
  }

  #place(tensor: DeviceTensor, over: () => void): Incoming {
    const context = this.#store.newContext(1);
    try {
      this.#store.store(tensor, this.#store.newNode(context, tensor));
    } finally {
      this.#ggml.freeContext(context);
    }
    const arrive = async (): Promise<DeviceTensor> => {
      over();
      return tensor;
    };
    const giveUp = (): void => {
      this.#store.free(tensor);
      over();
    };
    return { bytes: this.#store.memoryOf(tensor, this.bytesOf(tensor)), arrive, giveUp };
  }

  async #upload(bytes: Uint8Array, tensor: DeviceTensor): Promise<DeviceTensor> {
    const expected = this.bytesOf(tensor);
    if (bytes.byteLength !== expected) {
      throw new Error(
        `upload: expected ${expected} bytes for ${tensor.dtype} [${tensor.shape.join(", ")}], found ${bytes.byteLength}`,
      );
    }
    return this.#within(async (context) => {
      const node = this.#store.newNode(context, tensor);
      this.#store.store(tensor, node);
      await this.#transfer(this.#ggml.setTensor, node, bytes);
      return tensor;
    });
  }

  #multipliesBf16(device: Pointer): boolean {
    if (this.kind === "gpu") return true;
    if (this.#products) return this.#products.leastRows.bf16 !== undefined;
    return multipliesBf16(featuresOf(this.#ggml, device));
  }

  /** Copies to or from the device; a large copy runs on a thread of its own. */
  async #transfer(copy: CFunction, node: Pointer, bytes: Uint8Array): Promise<void> {
    const { byteLength } = bytes;
    if (byteLength >= LARGE_BYTES) {
      const inThread: (...values: unknown[]) => Promise<unknown> = promisify(copy.async);
      await inThread(node, bytes, 0, byteLength);
    } else if (byteLength > 0) copy(node, bytes, 0, byteLength);
  }

  /** With a context for one node. */
  async #within<T>(work: (context: Pointer) => Promise<T>): Promise<T> {
    const context = this.#store.newContext(1);
    try {
      return await work(context);
    } finally {
      this.#ggml.freeContext(context);
    }
  }
}
