import { setImmediate } from "node:timers/promises";
import pLimit, { type LimitFunction } from "p-limit";
import type { Checkpoint, TensorInfo } from "../checkpoint/checkpoint.ts";
import { notFinite } from "../checkpoint/not-finite.ts";
import type { Device, DeviceTensor, Incoming } from "../device/device.ts";
import { receive } from "../device/incoming.ts";
import { bytesPerElement } from "../tensor/dtype.ts";
import { firstNonFinite } from "../tensor/finite.ts";
import type { Loaded } from "./loaded.ts";

/** One weight of every parent on the device, by the parent's name. */
export type ByParent = Readonly<Record<string, DeviceTensor>>;

/** Weights, each of all parents, that are read at once: behind the last file of one comes the first of the next. */
const WEIGHTS = 2;

/** Files that are read at once: a disk and the threads that read are busy by then. */
const FILES = 4;

/** A weight of one parent. */
interface OfParent {
  readonly parent: string;
  readonly checkpoint: Checkpoint;
  readonly info: TensorInfo;
}

/** Some 3 ms of looking for numbers that are not finite. */
const CHECKED_BYTES = 2 ** 24;

/**
 * Brings weights of base and experts to a device, in the order in which they are asked for and several at once: into its own
 * memory where that is the host's, without a copy. The first time that a weight is read it is looked at for numbers that are not
 * finite, which is a UserError.
 */
export class ParentReader {
  readonly #device: Device;
  readonly #parents: ReadonlyMap<string, Checkpoint>;
  readonly #weights = pLimit(WEIGHTS);
  readonly #files: LimitFunction;
  readonly #checked = new Set<string>();
  readonly #underWay = new Set<Promise<unknown>>();

  /** The base, and behind it the experts in their order. */
  constructor(device: Device, parents: ReadonlyMap<string, Checkpoint>) {
    this.#device = device;
    this.#parents = parents;
    this.#files = pLimit(filesAtOnce(device));
  }

  /** Tensor bytes read from disk so far. */
  get bytesRead(): number {
    return [...this.#parents.values()].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
  }

  /** What a weight of all parents takes on the device, or so many rows of it. */
  bytesOf(name: string, rows?: number): number {
    return this.#infos(name).reduce((sum, { info }) => sum + this.#device.bytesOf(withRows(info, rows)), 0);
  }

  /** Whether rows of a weight can be brought alone: it was read and looked at as a whole, and files have its rows as they are. */
  canBringRows(name: string): boolean {
    return this.#infos(name).every(
      ({ checkpoint }) => this.#checked.has(keyOf(checkpoint, name)) && checkpoint.canReadRows(name),
    );
  }

  /**
   * A weight of every parent on the device. `look` meets what was read before it arrives there. Once the signal is aborted nothing
   * more is begun, and nothing of the weight stays on the device; whoever aborts has the rejection.
   */
  bring(name: string, look: (own: readonly Loaded[]) => Promise<void>, signal: AbortSignal): Promise<ByParent> {
    const read = (own: OfParent, into: Uint8Array<ArrayBuffer>): Promise<Loaded> => this.#read(own, signal, into);
    return this.#noted(() => this.#bring(this.#infos(name), read, look, signal));
  }

  /** The same of some rows of a weight of which all were brought before, in ascending order: a tensor that has no others. */
  bringRows(name: string, rows: Int32Array, signal: AbortSignal): Promise<ByParent> {
    const infos = this.#infos(name).map((own) => ({ ...own, info: withRows(own.info, rows.length) }));
    const read = async ({ parent, checkpoint, info }: OfParent, into: Uint8Array<ArrayBuffer>): Promise<Loaded> => {
      signal.throwIfAborted();
      return { parent, info, bytes: await checkpoint.readRows(name, rows, into) };
    };
    return this.#noted(() => this.#bring(infos, read, async () => {}, signal));
  }

  #noted(bring: () => Promise<ByParent>): Promise<ByParent> {
    const bringing = this.#weights(bring);
    this.#underWay.add(bringing);
    // A failure is reported by whoever awaits it, not as an unhandled rejection meanwhile.
    void bringing.catch(() => {}).finally(() => this.#underWay.delete(bringing));
    return bringing;
  }

  /** A weight of base and experts, in their order, in memory of its own. */
  read(name: string): Promise<Loaded[]> {
    return Promise.all(this.#infos(name).map((own) => this.#read(own)));
  }

  /** When all that was asked for is over, however it ended. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  async #bring(
    infos: readonly OfParent[],
    read: (own: OfParent, into: Uint8Array<ArrayBuffer>) => Promise<Loaded>,
    look: (own: readonly Loaded[]) => Promise<void>,
    signal: AbortSignal,
  ): Promise<ByParent> {
    const incoming: Incoming[] = [];
    const arrived: DeviceTensor[] = [];
    try {
      signal.throwIfAborted();
      for (const { info } of infos) incoming.push(await receive(this.#device, info));
      const reads = infos.map((own, i) => this.#files(() => read(own, incoming[i]!.bytes)));
      // What is written to may be given back once no read is under way.
      const settled = await Promise.allSettled(reads);
      const failure = settled.find((result) => result.status === "rejected");
      if (failure) throw failure.reason;
      await look(settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : [])));
      while (incoming.length > 0) arrived.push(await incoming.shift()!.arrive());
      signal.throwIfAborted();
      return Object.fromEntries(infos.map(({ parent }, i) => [parent, arrived[i]!]));
    } catch (error) {
      for (const one of incoming) one.giveUp();
      this.#device.free(...arrived);
      throw error;
    }
  }

  async #read(
    { parent, checkpoint, info }: OfParent,
    signal?: AbortSignal,
    into?: Uint8Array<ArrayBuffer>,
  ): Promise<Loaded> {
    signal?.throwIfAborted();
    const bytes = await checkpoint.read(info.name, into);
    await this.#checkFinite(checkpoint, info, bytes);
    return { parent, info, bytes };
  }

  #infos(name: string): OfParent[] {
    return Array.from(this.#parents, ([parent, checkpoint]): OfParent => {
      const info = checkpoint.tensors.get(name);
      if (!info) throw new Error(`parents: ${parent} has no tensor ${name}`);
      return { parent, checkpoint, info };
    });
  }

  /** Looks at every weight once, in pieces between which the event loop gets its turn. */
  async #checkFinite(checkpoint: Checkpoint, { name, dtype }: TensorInfo, bytes: Uint8Array): Promise<void> {
    const key = keyOf(checkpoint, name);
    if (this.#checked.has(key)) return;
    for (let start = 0; start < bytes.length; start += CHECKED_BYTES) {
      if (start > 0) await setImmediate();
      const at = firstNonFinite(bytes.subarray(start, start + CHECKED_BYTES), dtype);
      if (at < 0) continue;
      throw notFinite(checkpoint.folder, name, start / bytesPerElement[dtype] + at);
    }
    this.#checked.add(key);
  }
}

/** On few cores that compute as well, more readers would take turns with them, and read for later what is waited for now. */
function filesAtOnce({ kind, concurrency }: Pick<Device, "kind" | "concurrency">): number {
  return kind === "cpu" ? Math.min(FILES, Math.max(2, concurrency)) : FILES;
}

function keyOf({ folder }: Checkpoint, name: string): string {
  return `${folder}\n${name}`;
}

/** A tensor of so many rows, and else like another. */
export function withRows(info: TensorInfo, rows: number = info.shape[0] ?? 1): TensorInfo {
  const [all = 1, ...width] = info.shape;
  return { ...info, shape: info.shape.length > 0 ? [rows, ...width] : [], bytes: (info.bytes / all) * rows };
}
