import { setImmediate } from "node:timers/promises";
import pLimit, { type LimitFunction } from "p-limit";
import type { Checkpoint, TensorInfo } from "../checkpoint/checkpoint.ts";
import { notFinite } from "../checkpoint/not-finite.ts";
import type { Device, DeviceTensor } from "../device/device.ts";
import type { ParentFacts } from "../merge/facts.ts";
import type { MergeParents } from "../merge/merge-tensor.ts";
import type { Step } from "../merge/recipe.ts";
import { WeightFacts } from "../merge/weight-facts.ts";
import { bytesPerElement } from "../tensor/dtype.ts";
import { firstNonFinite } from "../tensor/finite.ts";
import { Leaves } from "./leaves.ts";
import { type Loaded, storedIn } from "./loaded.ts";
import type { Direction, Route } from "./route.ts";

/** Weights of every parent on the device, by the weight's name, then by the parent's. */
export type ParentTensors = ReadonlyMap<string, ByParent>;

/** One weight of every parent on the device, by the parent's name. */
type ByParent = Readonly<Record<string, DeviceTensor>>;

/** Some 20 ms of looking for numbers that are not finite. */
const CHECKED_BYTES = 2 ** 24;

/** Share of the device that parents may take for good; the rest is for activations and merged layers. */
const RESIDENT_SHARE = 0.25;

/**
 * The weights of base and experts, stage by stage of a pass's route. Where all of them fit on the device they stay there; otherwise
 * one stage of each is there at a time, and the next one is read from disk meanwhile. A weight of several stages, such as a
 * tied embedding, is read and brought to the device once a pass and stays from the first of them to the last. A pass goes
 * along its route forward, and may then go back from the end.
 */
export class ParentWeights implements AsyncDisposable {
  /** Lets one pass begin after the other: two at once would share, and drop, each other's stages. */
  readonly turn: LimitFunction = pLimit(1);
  readonly #device: Device;
  readonly #parents: ReadonlyMap<string, Checkpoint>;
  readonly #resident: boolean;
  /** By the weight's name in the checkpoint. */
  readonly #uploaded = new Map<string, ByParent>();
  /** Reads that the pass at hand waits for, by the stage. */
  readonly #ahead = new Map<number, Promise<Loaded[]>>();
  readonly #reads = new Set<Promise<Loaded[]>>();
  readonly #checked = new Set<string>();
  /** By the weight's name; what is known of a weight stays known. */
  readonly #facts = new Map<string, WeightFacts>();
  readonly #leaves: Leaves;

  constructor(
    device: Device,
    /** The base, and behind it the experts in their order. */
    parents: ReadonlyMap<string, Checkpoint>,
    options: { resident?: boolean } = {},
  ) {
    this.#device = device;
    this.#parents = parents;
    const bytes = [...parents.values()]
      .flatMap(({ tensors }) => [...tensors.values()])
      .reduce((sum, tensor) => sum + device.bytesOf(tensor), 0);
    // Of a device of unknown size no more is asked than must be.
    const room = (device.memory.capacityBytes ?? 0) * RESIDENT_SHARE;
    this.#resident = options.resident ?? bytes <= room;
    this.#leaves = new Leaves(device, this.#resident ? room - bytes : 0);
  }

  /** Tensor bytes read from disk so far. */
  get bytesRead(): number {
    return [...this.#parents.values()].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  /**
   * Brings a stage of the route to the device and starts reading the next in that direction; stages are loaded one after another.
   * Throws a UserError for a weight that is not finite, and leaves nothing of the stage on the device.
   */
  async load(route: Route, index: number, direction: Direction = "forward"): Promise<ParentTensors> {
    const names = route.stages[index] ?? [];
    if (this.#missing(route, index).length > 0) await this.#upload(route, index);
    for (const name of names) await this.#prepare(name, route.stepsAt(index, name));
    const next = direction === "forward" ? index + 1 : index - 1;
    if (this.#missing(route, next).length > 0) void this.#readAhead(route, next);
    return new Map(names.map((name) => [name, this.#uploaded.get(name) ?? absent(name)]));
  }

  /** What a merge asks for of a weight that was loaded for it. */
  known(name: string, step: Step): Omit<MergeParents, "models" | "base" | "experts"> {
    return { ...this.#factsOf(name).of(step), leaves: this.#leaves.of(name, step) };
  }

  /** The same of a weight by its name, but for what is on the device: the weight is read for that unless it was. */
  async measure(name: string, step: Step): Promise<ParentFacts> {
    if (this.#factsOf(name).lacks(step)) await this.#learn([step], await this.#readOne(name));
    return this.#factsOf(name).of(step);
  }

  /** Drops what no later stage in that direction needs of a stage from the device, unless the parents stay there for good. */
  release(route: Route, index: number, direction: Direction = "forward"): void {
    this.#dropPassing(route.endingAt(index, direction));
  }

  /** Drops what a pass that ended early has left, unless the parents stay for good. */
  releaseAll(): void {
    this.#ahead.clear();
    this.#dropPassing([...this.#uploaded.keys()]);
  }

  /** Waits for the reads in flight. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#reads);
    this.#drop([...this.#uploaded.keys()]);
  }

  /** Weights of a stage that are not on the device. */
  #missing({ stages }: Route, index: number): string[] {
    return (stages[index] ?? []).filter((name) => !this.#uploaded.has(name));
  }

  #dropPassing(names: readonly string[]): void {
    if (this.#resident) this.#leaves.dropPassing(names);
    else this.#drop(names);
  }

  #drop(names: readonly string[]): void {
    this.#leaves.drop(names);
    for (const name of names) {
      this.#device.free(...Object.values(this.#uploaded.get(name) ?? {}));
      this.#uploaded.delete(name);
    }
  }

  #factsOf(name: string): WeightFacts {
    const known = this.#facts.get(name) ?? new WeightFacts();
    this.#facts.set(name, known);
    return known;
  }

  /** What merges ask of a weight whose parents are on the device: those of another generation may ask for more. */
  async #prepare(name: string, steps: readonly Step[]): Promise<void> {
    const lacking = steps.filter((step) => this.#factsOf(name).lacks(step) || this.#leaves.lacks(name, step));
    if (lacking.length === 0) return;
    const loaded = await this.#readOne(name);
    await this.#learn(lacking, loaded);
    await this.#leaves.put(loaded, lacking);
  }

  async #learn(steps: readonly Step[], [base, ...experts]: readonly Loaded[]): Promise<void> {
    if (!base) throw new Error("parents: there is no base");
    const { name, shape } = base.info;
    await this.#factsOf(name).learn(steps, shape, [storedIn(base), ...experts.map(storedIn)], { ahead: true });
  }

  #readAhead(route: Route, index: number): Promise<Loaded[]> {
    const known = this.#ahead.get(index);
    if (known) return known;
    const reading = this.#read(route, index);
    this.#ahead.set(index, reading);
    this.#reads.add(reading);
    // A failure is reported by the load that awaits it, not as an unhandled rejection meanwhile.
    void reading.catch(() => {}).finally(() => this.#reads.delete(reading));
    return reading;
  }

  async #upload(route: Route, index: number): Promise<void> {
    const loaded = await this.#readAhead(route, index).finally(() => this.#ahead.delete(index));
    const fresh: Record<string, Record<string, DeviceTensor>> = {};
    try {
      for (const { parent, info, bytes } of loaded) {
        (fresh[info.name] ??= {})[parent] = await this.#device.upload(bytes, info.dtype, info.shape);
      }
    } catch (error) {
      for (const byParent of Object.values(fresh)) this.#device.free(...Object.values(byParent));
      throw error;
    }
    for (const [name, byParent] of Object.entries(fresh)) this.#uploaded.set(name, byParent);
    for (const name of Object.keys(fresh)) {
      const own = loaded.filter(({ info }) => info.name === name);
      await this.#leaves.put(own, route.stepsAt(index, name));
    }
  }

  /** The weights of a stage that are not on the device, and what their merges ask of them. */
  async #read(route: Route, index: number): Promise<Loaded[]> {
    const loaded: Loaded[] = [];
    for (const name of this.#missing(route, index)) {
      const own = await this.#readOne(name);
      await this.#learn(route.stepsAt(index, name), own);
      loaded.push(...own);
    }
    return loaded;
  }

  /** A weight of base and experts, in their order. */
  async #readOne(name: string): Promise<Loaded[]> {
    const loaded: Loaded[] = [];
    for (const [parent, checkpoint] of this.#parents) {
      const info = checkpoint.tensors.get(name);
      if (!info) throw new Error(`parents: ${parent} has no tensor ${name}`);
      const bytes = await checkpoint.read(name);
      await this.#checkFinite(checkpoint.folder, info, bytes);
      loaded.push({ parent, info, bytes });
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
      throw notFinite(folder, name, start / bytesPerElement[dtype] + at);
    }
    this.#checked.add(key);
  }
}

function absent(name: string): never {
  throw new Error(`parents: ${name} is not on the device`);
}
