import { setImmediate } from "node:timers/promises";
import type { Checkpoint, TensorInfo } from "../checkpoint/checkpoint.ts";
import type { Device, DeviceTensor } from "../device/device.ts";
import { UserError } from "../errors.ts";
import { stages, type Model, type StageWeights } from "../model/architecture.ts";
import { bytesPerElement } from "../tensor/dtype.ts";
import { firstNonFinite } from "../tensor/finite.ts";

/** The same weight of every parent on the device, by role, then by the parent's name. */
export type ParentTensors = Readonly<Record<string, Readonly<Record<string, DeviceTensor>>>>;

/** One weight of one parent, read but not uploaded. */
interface Loaded {
  readonly role: string;
  readonly parent: string;
  readonly info: TensorInfo;
  readonly bytes: Uint8Array;
}

/** Some 20 ms of looking for numbers that are not finite. */
const CHECKED_BYTES = 2 ** 24;

/** Share of the device that parents may take for good; the rest is for activations and merged layers. */
const RESIDENT_SHARE = 0.25;

/**
 * The weights of base and experts, stage by stage. Where all of them fit on the device they stay there; otherwise one
 * stage of each is there at a time, and the next one is read from disk meanwhile.
 */
export class ParentWeights implements AsyncDisposable {
  readonly stages: readonly StageWeights[];
  readonly #device: Device;
  readonly #parents: ReadonlyMap<string, Checkpoint>;
  readonly #resident: boolean;
  readonly #uploaded = new Map<number, ParentTensors>();
  readonly #ahead = new Map<number, Promise<Loaded[]>>();
  readonly #checked = new Set<string>();

  constructor(
    device: Device,
    model: Model,
    parents: ReadonlyMap<string, Checkpoint>,
    options: { resident?: boolean } = {},
  ) {
    this.#device = device;
    this.#parents = parents;
    this.stages = stages(model);
    const bytes = [...parents.values()]
      .flatMap(({ tensors }) => [...tensors.values()])
      .reduce((sum, tensor) => sum + device.bytesOf(tensor), 0);
    // Of a device of unknown size no more is asked than must be.
    this.#resident = options.resident ?? bytes <= (device.memory.capacityBytes ?? 0) * RESIDENT_SHARE;
  }

  /** Tensor bytes read from disk so far. */
  get bytesRead(): number {
    return [...this.#parents.values()].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  /**
   * Brings a stage to the device and starts reading the next; stages are loaded one after another. Throws a UserError for
   * a weight that is not finite, and leaves nothing of the stage on the device.
   */
  async load(index: number): Promise<ParentTensors> {
    const tensors = this.#uploaded.get(index) ?? (await this.#upload(index));
    this.#uploaded.set(index, tensors);
    if (!this.#uploaded.has(index + 1) && index + 1 < this.stages.length) void this.#readAhead(index + 1);
    return tensors;
  }

  /** Drops a stage from the device, unless the parents stay there for good. */
  release(index: number): void {
    if (!this.#resident) this.#drop(index);
  }

  /** Waits for the reads in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#ahead.values());
    for (const index of this.#uploaded.keys()) this.#drop(index);
  }

  #drop(index: number): void {
    this.#free(this.#uploaded.get(index) ?? {});
    this.#uploaded.delete(index);
  }

  #free(tensors: ParentTensors): void {
    for (const byParent of Object.values(tensors)) this.#device.free(...Object.values(byParent));
  }

  #readAhead(index: number): Promise<Loaded[]> {
    const reading = this.#ahead.get(index) ?? this.#read(index);
    // A failure is reported by the load that awaits it, not as an unhandled rejection meanwhile.
    reading.catch(() => {});
    this.#ahead.set(index, reading);
    return reading;
  }

  async #upload(index: number): Promise<ParentTensors> {
    const loaded = await this.#readAhead(index).finally(() => this.#ahead.delete(index));
    const tensors: Record<string, Record<string, DeviceTensor>> = {};
    try {
      for (const { role, parent, info, bytes } of loaded) {
        (tensors[role] ??= {})[parent] = await this.#device.upload(bytes, info.dtype, info.shape);
      }
      return tensors;
    } catch (error) {
      this.#free(tensors);
      throw error;
    }
  }

  async #read(index: number): Promise<Loaded[]> {
    const loaded: Loaded[] = [];
    for (const [role, { name }] of Object.entries(this.stages[index] ?? {})) {
      for (const [parent, checkpoint] of this.#parents) {
        const info = checkpoint.tensors.get(name);
        if (!info) throw new Error(`parents: ${parent} has no tensor ${name}`);
        const bytes = await checkpoint.read(name);
        await this.#checkFinite(checkpoint.folder, info, bytes);
        loaded.push({ role, parent, info, bytes });
      }
    }
    return loaded;
  }

  /** Looks at every weight once, in pieces between which the event loop gets its turn. */
  async #checkFinite(folder: string, { name, dtype }: TensorInfo, bytes: Uint8Array): Promise<void> {
    const key = `${folder}\n${name}`;
    if (this.#checked.has(key)) return;
    for (let start = 0; start < bytes.length; start += CHECKED_BYTES) {
      if (start > 0) await setImmediate();
      const at = firstNonFinite(bytes.subarray(start, start + CHECKED_BYTES), dtype);
      if (at < 0) continue;
      const element = start / bytesPerElement[dtype] + at;
      throw new UserError(
        `${folder}: tensor ${name}: element ${element} is NaN or infinite; expected finite weights, use another model`,
      );
    }
    this.#checked.add(key);
  }
}
