import type { Checkpoint, TensorInfo } from "../checkpoint/checkpoint.ts";
import { MadeUpBytes } from "../device/rehearsal/made-up-bytes.ts";
import type { RehearsalDevice } from "../device/rehearsal/rehearsal-device.ts";
import type { Loaded } from "./loaded.ts";
import { type ByParent, withRows } from "./parent-reader.ts";
import { ParentWeights, type ParentTensors, type WeightReader } from "./parent-weights.ts";
import { heldAs, type Direction, type Route } from "./route.ts";

/** Bytes a second of what parents are brought by. */
export interface LoadingSpeed {
  /** From the disk, with their hashes. */
  readonly readBytes: number;
  readonly uploadBytes: number;
}

/** Brings weights that nobody reads to a device for rehearsals: as large as they are, and as late as they would come. */
class UnreadWeights implements WeightReader {
  readonly bytesRead = 0;
  readonly #device: RehearsalDevice;
  readonly #parents: ReadonlyMap<string, Checkpoint>;
  readonly #speed: () => LoadingSpeed;
  readonly #madeUp = new MadeUpBytes();
  /** By name, on the device's clock. */
  readonly #arrivals = new Map<string, number>();
  /** When all that was asked for is read. */
  #busyUntil = 0;

  constructor(device: RehearsalDevice, parents: ReadonlyMap<string, Checkpoint>, speed: () => LoadingSpeed) {
    this.#device = device;
    this.#parents = parents;
    this.#speed = speed;
  }

  bytesOf(name: string, rows?: number): number {
    return this.#infos(name, rows).reduce((sum, [, info]) => sum + this.#device.bytesOf(info), 0);
  }

  /** As if what came once had been looked at. */
  canBringRows(name: string): boolean {
    return this.#arrivals.has(name) && [...this.#parents.values()].every((own) => own.placeOf(name) !== undefined);
  }

  /** When the last of these weights is on the device. */
  arrivalOf(names: readonly string[]): number {
    return Math.max(0, ...names.map((name) => this.#arrivals.get(name) ?? 0));
  }

  async bring(name: string, look: (own: readonly Loaded[]) => Promise<void>, signal: AbortSignal): Promise<ByParent> {
    signal.throwIfAborted();
    const tensors = this.#arriving(name, this.#infos(name));
    await this.#device.aside(async () => look(await this.read(name)));
    return tensors;
  }

  async bringRows(name: string, rows: Int32Array, signal: AbortSignal): Promise<ByParent> {
    signal.throwIfAborted();
    const { length: count, 0: from = 0 } = rows;
    const tensors = this.#arriving(name, this.#infos(name, count));
    // Rows of tokens are awaited by the weight's name, blocks by their own.
    this.#arrivals.set(heldAs({ name, rows: { from, count } }), this.#busyUntil);
    return tensors;
  }

  #arriving(name: string, infos: readonly (readonly [parent: string, info: TensorInfo])[]): ByParent {
    const { readBytes, uploadBytes } = this.#speed();
    const bytes = infos.reduce((sum, [, info]) => sum + info.bytes, 0);
    // What is read into the host's own memory need not be brought anywhere.
    const aByteMs = 1000 / readBytes + (this.#device.kind === "cpu" ? 0 : 1000 / uploadBytes);
    this.#busyUntil = Math.max(this.#busyUntil, this.#device.clock.now()) + aByteMs * bytes;
    this.#arrivals.set(name, this.#busyUntil);
    return Object.fromEntries(infos.map(([parent, info]) => [parent, this.#device.place(info)]));
  }

  async read(name: string): Promise<Loaded[]> {
    return this.#infos(name).map(([parent, info]) => ({ parent, info, bytes: this.#madeUp.of(info) }));
  }

  async settled(): Promise<void> {}

  #infos(name: string, rows?: number): (readonly [parent: string, info: TensorInfo])[] {
    return Array.from(this.#parents, ([parent, { tensors }]) => {
      const info = tensors.get(name);
      if (!info) throw new Error(`parents: ${parent} has no tensor ${name}`);
      return [parent, withRows(info, rows)] as const;
    });
  }
}

/**
 * Parents of which nothing is read: on a device for rehearsals they take the memory that they would take, and on its clock the
 * time. What merges ask of whole weights is learnt of numbers that are made up.
 */
export class UnreadParents extends ParentWeights {
  readonly #device: RehearsalDevice;
  readonly #reader: UnreadWeights;

  constructor(device: RehearsalDevice, parents: ReadonlyMap<string, Checkpoint>, speed: () => LoadingSpeed) {
    const reader = new UnreadWeights(device, parents, speed);
    super(device, parents, { reader });
    this.#device = device;
    this.#reader = reader;
  }

  override async load(route: Route, index: number, direction?: Direction, turns?: boolean): Promise<ParentTensors> {
    const tensors = await super.load(route, index, direction, turns);
    this.#device.clock.waitUntil(this.#reader.arrivalOf(route.stages[index] ?? []));
    return tensors;
  }
}
