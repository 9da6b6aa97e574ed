import * as tf from "@tensorflow/tfjs-core";
import pLimit, { type LimitFunction } from "p-limit";
import type { Device, DeviceDtype, DeviceMemory, DeviceTensor } from "../device.ts";
import type { Expression } from "../expression.ts";
import { tensorsOf } from "../graph.ts";
import { elementCount, type Dtype, type Shape } from "../../tensor/dtype.ts";
import { WorkInFlight } from "../work-in-flight.ts";
import type { Backend } from "./backend.ts";
import { isHalf, type HalfFloats } from "./half-floats.ts";
import type { Lowering, LoweringPlan } from "./lowering.ts";
import { SlicePace } from "./pace.ts";
import { TensorMemory } from "./tensor-memory.ts";

/** A device on the active backend of TensorFlow.js. */
export class TfjsDevice implements Device {
  readonly name: string;
  readonly kind: "cpu" | "gpu";
  readonly fastestProducts: Dtype;
  readonly concurrency = 1;
  readonly alike: number | undefined;
  readonly #capacityBytes: number | undefined;
  readonly #memory: TensorMemory;
  readonly #stored = new Map<DeviceTensor, tf.Tensor>();
  readonly #pace: SlicePace;
  /** Operations run on this thread: runs that took turns would only hold more memory, and timers would wait for all. */
  readonly #turn: LimitFunction = pLimit(1);
  readonly #work: WorkInFlight;
  #closed = false;
  #workBytes = 0;

  readonly #halves: HalfFloats;
  readonly #lowering: Lowering;

  constructor({ name, kind, alike, capacityBytes, limitBytes, sliceFlop, halves, lowering, multiplied }: Backend) {
    this.name = name;
    this.kind = kind;
    this.alike = alike;
    this.fastestProducts = kind === "gpu" || multiplied.includes("bf16") ? "bf16" : "f32";
    this.#halves = halves;
    this.#lowering = lowering;
    this.#work = new WorkInFlight(name);
    this.#pace = new SlicePace(sliceFlop);
    this.#memory = new TensorMemory(limitBytes);
    this.#capacityBytes = capacityBytes;
  }

  get memory(): DeviceMemory {
    const { bytes, peakBytes } = this.#memory;
    return { capacityBytes: this.#capacityBytes, bytes, peakBytes, workBytes: this.#workBytes };
  }

  bytesOf({ dtype, shape }: DeviceTensor): number {
    return this.#bytesPerElement(dtype) * elementCount(shape);
  }

  upload(bytes: Uint8Array, dtype: DeviceDtype, shape: Shape): Promise<DeviceTensor> {
    return this.#work.begin([], async () => {
      if (isHalf(dtype)) return this.#store(await this.#halves.upload(bytes, dtype, shape, this.#pace), dtype, shape);
      const { buffer } = new Uint8Array(bytes);
      const values = dtype === "i32" ? new Int32Array(buffer) : new Float32Array(buffer);
      return this.#store(tf.tensor(values, [...shape], dtype === "i32" ? "int32" : "float32"), dtype, shape);
    });
  }

  run(outputs: readonly Expression[]): Promise<DeviceTensor[]> {
    const plan = this.#lowering.plan(outputs);
    return this.#work.begin(tensorsOf(plan.order), () => this.#turn(() => this.#evaluate(plan)));
  }

  read(tensor: DeviceTensor): Promise<Uint8Array> {
    return this.#work.begin([tensor], async () => {
      const value = this.#value(tensor);
      if (isHalf(tensor.dtype)) return this.#halves.read(value, tensor.dtype, this.#pace);
      const values = (await value.data()) as Float32Array | Int32Array;
      return new Uint8Array(values.slice().buffer);
    });
  }

  free(...tensors: readonly DeviceTensor[]): void {
    for (const tensor of tensors) this.#work.free(tensor, () => this.#release(tensor));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#work.close(() => {
      this.free(...this.#stored.keys());
      this.#closed = true;
    });
  }

  async #evaluate({ outputs, order, reads }: LoweringPlan): Promise<DeviceTensor[]> {
    const readers = countReaders([...outputs, ...order.flatMap(reads)]);
    const computed = new Map<Expression, tf.Tensor>();
    const of = (node: Expression): tf.Tensor => {
      const value = node.op === "input" ? this.#value(node.tensor) : computed.get(node);
      if (value === undefined) throw new Error(`${node.op} was read before it was computed`);
      return value;
    };
    const finishReading = (node: Expression): void => {
      const left = (readers.get(node) ?? 0) - 1;
      readers.set(node, left);
      const value = computed.get(node);
      if (left > 0 || value === undefined) return;
      computed.delete(node);
      this.#memory.release(value);
    };
    const context = { of, reads, memory: this.#memory, pace: this.#pace };
    this.#memory.beginHigh();
    try {
      for (const node of order) {
        if (node.op === "input") continue;
        computed.set(
          node,
          this.#memory.hold(await this.#lowering.evaluate(node, context), this.#bytesPerElement(node.dtype)),
        );
        reads(node).forEach(finishReading);
        await this.#pace.pause();
      }
      const values = outputs.map((node) => ({ ...node, value: of(node) }));
      return values.map(({ dtype, shape, value }) => this.#store(tf.clone(value), dtype, shape));
    } finally {
      for (const value of computed.values()) this.#memory.release(value);
      this.#workBytes = Math.max(this.#workBytes, this.#memory.highBytes - this.#memory.bytes);
    }
  }

  #store(tensor: tf.Tensor, dtype: DeviceDtype, shape: Shape): DeviceTensor {
    this.#memory.hold(tensor, this.#bytesPerElement(dtype));
    const handle: DeviceTensor = { dtype, shape };
    this.#stored.set(handle, tensor);
    return handle;
  }

  #bytesPerElement(dtype: DeviceDtype): number {
    return isHalf(dtype) ? this.#halves.bytesPerElement : 4;
  }

  #release(tensor: DeviceTensor): void {
    // Closing has released everything.
    if (this.#closed) return;
    this.#memory.release(this.#value(tensor));
    this.#stored.delete(tensor);
  }

  #value(tensor: DeviceTensor): tf.Tensor {
    const value = this.#stored.get(tensor);
    if (value !== undefined) return value;
    throw new Error(`The tensor ${tensor.dtype} [${tensor.shape.join(", ")}] was freed or is not of this device`);
  }
}

/** How often each node is read; being an output counts as a reader that never finishes. */
function countReaders(read: readonly Expression[]): Map<Expression, number> {
  const readers = new Map<Expression, number>();
  for (const node of read) readers.set(node, (readers.get(node) ?? 0) + 1);
  return readers;
}
