import { setImmediate } from "node:timers/promises";
import pLimit from "p-limit";
import { median } from "simple-statistics";
import type { Dtype, Shape } from "../../tensor/dtype.ts";
import type { Device, DeviceDtype, DeviceMemory, DeviceTensor, GraphOptions } from "../device.ts";
import { type Expression, input } from "../expression.ts";
import { inOrder, substitute, tensorsOf } from "../graph.ts";
import { graphShape, productFlop } from "./graph-shape.ts";
import { HostTime } from "./host-time.ts";
import { LaneClock } from "./lane-clock.ts";
import { MadeUpBytes } from "./made-up-bytes.ts";

/** What times are measured by, in milliseconds. */
export interface Stopwatch {
  /** Of work that keeps all lanes of the device busy. */
  readonly lanes: () => number;
  /** Of the thread that graphs are written down by. */
  readonly host: () => number;
}

/** A graph is computed again, unless it takes so long, until its time is known well enough. */
const ENOUGH = { longMs: 2000, runs: 3, ms: 300 } as const;

/**
 * A device on which work is rehearsed: of each shape of graph one is computed, by the real device, on numbers that are made up;
 * any other takes the time that that one took, on a clock of its own, and so does what the host does between two of them. Tensors
 * take the memory that they take on the real device, and hold nothing. So what a search of hours takes is known in seconds, without
 * its weights.
 */
export class RehearsalDevice implements Device {
  readonly clock: LaneClock;
  readonly #real: Device;
  readonly #watch: Stopwatch;
  readonly #madeUp = new MadeUpBytes();
  /** Bytes of those that are there, and what was brought here of them. */
  readonly #tensors = new Map<DeviceTensor, { readonly bytes: number; readonly content: Uint8Array | undefined }>();
  /** Milliseconds by the shape of a graph. */
  readonly #times = new Map<string, Promise<number>>();
  readonly #turn = pLimit(1);
  #bytes = 0;
  #peakBytes = 0;
  readonly #host: HostTime;
  #flop = 0;

  /** The real device is closed with this one. */
  constructor(real: Device, watch: Stopwatch) {
    this.#real = real;
    this.#watch = watch;
    this.#host = new HostTime(watch.host);
    this.clock = new LaneClock(real.concurrency);
  }

  get name(): string {
    return this.#real.name;
  }

  get kind(): "cpu" | "gpu" {
    return this.#real.kind;
  }

  get fastestProducts(): Dtype {
    return this.#real.fastestProducts;
  }

  get concurrency(): number {
    return this.#real.concurrency;
  }

  get mergesInCache(): boolean | undefined {
    return this.#real.mergesInCache;
  }

  get mergesAtOnce(): boolean | undefined {
    return this.#real.mergesAtOnce;
  }

  get memory(): DeviceMemory {
    const { capacityBytes, workBytes } = this.#real.memory;
    return { capacityBytes, bytes: this.#bytes, peakBytes: this.#peakBytes, workBytes };
  }

  /** Operations of all products so far. */
  get flop(): number {
    return this.#flop;
  }

  /** Shapes of graphs that were computed. */
  get computed(): number {
    return this.#times.size;
  }

  bytesOf(tensor: DeviceTensor): number {
    return this.#real.bytesOf(tensor);
  }

  /** A tensor that holds nothing. */
  place({ dtype, shape }: DeviceTensor, content?: Uint8Array): DeviceTensor {
    const tensor = { dtype, shape };
    const bytes = this.bytesOf(tensor);
    this.#tensors.set(tensor, { bytes, content });
    this.#bytes += bytes;
    return tensor;
  }

  async upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor> {
    return this.place({ dtype, shape }, bytes);
  }

  async run(outputs: readonly Expression[], options: GraphOptions = {}): Promise<DeviceTensor[]> {
    const hostMs = this.#host.take();
    const results = outputs.map((output) => this.place(output));
    const held = this.#bytes;
    const { order, ms } = await this.aside(() => this.#look(outputs, options));
    this.#peakBytes = Math.max(this.#peakBytes, held + this.#real.memory.workBytes);
    this.#flop += productFlop(order);
    // Begun before anything that was begun earlier is over, as on the real device.
    this.clock.begin(hostMs + ms);
    await setImmediate();
    this.clock.end();
    return results;
  }

  /** What nobody knows: log-probabilities of -1 nat, and the first of all tokens. */
  async read(tensor: DeviceTensor): Promise<Uint8Array> {
    const { bytes } = this.#there(tensor);
    if (tensor.dtype === "i32") return new Uint8Array(bytes);
    return new Uint8Array(new Float32Array(bytes / 4).fill(-1).buffer);
  }

  free(...tensors: readonly DeviceTensor[]): void {
    for (const tensor of tensors) {
      this.#bytes -= this.#there(tensor).bytes;
      this.#tensors.delete(tensor);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#real[Symbol.asyncDispose]();
  }

  /** Puts the clock forward by what the host has done since the last graph. */
  settle(): void {
    this.clock.begin(this.#host.take());
    this.clock.end();
  }

  /** Does what the host does not do in a run; the clock stands still meanwhile. */
  aside<T>(work: () => T | Promise<T>): Promise<T> {
    return this.#host.aside(work);
  }

  async #look(
    outputs: readonly Expression[],
    options: GraphOptions,
  ): Promise<{ readonly order: readonly Expression[]; readonly ms: number }> {
    const order = inOrder(outputs);
    const shape = `${options.separately === true} ${graphShape(order, outputs)}`;
    const known = this.#times.get(shape) ?? this.#turn(() => this.#measure(order, outputs, options));
    this.#times.set(shape, known);
    return { order, ms: await known };
  }

  /** How long a graph takes where all lanes have one like it. */
  async #measure(order: readonly Expression[], outputs: readonly Expression[], options: GraphOptions): Promise<number> {
    const real = this.#real;
    const now = this.#watch.lanes;
    const copies = new Map<DeviceTensor, DeviceTensor>();
    try {
      for (const tensor of tensorsOf(order)) {
        const content = this.#there(tensor).content ?? this.#madeUp.of(tensor);
        copies.set(tensor, await real.upload(content, tensor.dtype, tensor.shape));
      }
      const inputs = order.flatMap((node) =>
        node.op === "input" ? [[node, input(copies.get(node.tensor) ?? node.tensor)] as const] : [],
      );
      const own = substitute(outputs, new Map(inputs));
      const onEvery = Array.from({ length: real.concurrency });
      const times: number[] = [];
      const time = async (): Promise<number> => {
        const began = now();
        await Promise.all(onEvery.map(async () => real.free(...(await real.run(own, options)))));
        return now() - began;
      };
      // The first has memory to ask for.
      const firstMs = await time();
      if (firstMs > ENOUGH.longMs) return firstMs;
      for (const began = now(); times.length < ENOUGH.runs && now() - began < ENOUGH.ms;) times.push(await time());
      return median(times);
    } finally {
      real.free(...copies.values());
    }
  }

  #there(tensor: DeviceTensor): { readonly bytes: number; readonly content: Uint8Array | undefined } {
    const found = this.#tensors.get(tensor);
    if (!found)
      throw new Error(`rehearsal: the tensor ${tensor.dtype} [${tensor.shape.join(", ")}] is not there; was it freed?`);
    return found;
  }
}
