import type { Device } from "../device/device.ts";

/** Share of the host's memory that parents may take on a CPU. */
const HOST_SHARE = 0.25;

/** Share of a device that is left free: other programs, and what a driver needs for itself. */
const FREE_SHARE = 0.1;

/** Share that is left for work space as long as nothing was run. */
const WORK_SHARE = 0.25;

/** Share that parents may take ahead of the stage that is computed. */
const AHEAD_SHARE = 0.1;

/**
 * Bytes of parents, `whole` all of them, that may stay on a device beside so many bytes of a pass. On a CPU that is all or nothing: what
 * does not stay is in the system's cache of files, which shares the memory with what does, and reading there costs a copy. Of a
 * device of unknown size no more is asked than must be.
 */
export function roomToStay(device: Pick<Device, "kind" | "memory">, whole: number, passBytes: number): number {
  const { capacityBytes = 0, workBytes } = device.memory;
  if (device.kind === "cpu") return whole <= capacityBytes * HOST_SHARE ? whole : 0;
  const work = workBytes || capacityBytes * WORK_SHARE;
  return Math.max(0, capacityBytes * (1 - FREE_SHARE - AHEAD_SHARE) - work - passBytes);
}

/** Bytes that leaves may take for good, where all parents stay. */
export function roomForLeaves({ memory }: Pick<Device, "memory">, whole: number): number {
  return Math.max(0, (memory.capacityBytes ?? 0) * HOST_SHARE - whole);
}

/** Bytes of stages that may be read ahead; the next one always is. */
export function roomAhead({ memory }: Pick<Device, "memory">): number {
  return (memory.capacityBytes ?? 0) * AHEAD_SHARE;
}

/** Which weights stay on a device, and how much room there is for them. */
export class Residency {
  /** Bytes by name, in the order in which they came to stay. */
  readonly #staying = new Map<string, number>();
  #bytes = 0;
  #room = 0;
  /** What the device turned out to have room for. */
  #most = Infinity;

  has(name: string): boolean {
    return this.#staying.has(name);
  }

  /** Whether so many bytes may stay, all together. */
  hasRoomFor(bytes: number): boolean {
    return bytes <= this.#room;
  }

  /** Lets a weight stay if there is room. */
  keep(name: string, bytes: number): boolean {
    if (this.has(name)) return true;
    if (this.#bytes + bytes > this.#room) return false;
    this.#staying.set(name, bytes);
    this.#bytes += bytes;
    return true;
  }

  /** What may no longer stay in a room of that size: those that came last, since a pass begins with those that came first. */
  resize(room: number): string[] {
    this.#room = Math.min(room, this.#most);
    const gone: string[] = [];
    for (const [name, bytes] of [...this.#staying].toReversed()) {
      if (this.#bytes <= this.#room) break;
      this.#staying.delete(name);
      this.#bytes -= bytes;
      gone.push(name);
    }
    return gone;
  }

  /** What goes when the device has run out of memory: half of what stays, and from then on no more than the rest stays. */
  giveWay(): string[] {
    this.#most = this.#staying.size > 1 ? this.#bytes / 2 : 0;
    return this.resize(this.#room);
  }
}
