import type { DeviceTensor } from "./device-tensor.ts";

/**
 * What a device has begun and not finished. Tensors that it reads are kept until then, even if they are freed meanwhile;
 * closing lets nothing new begin and waits for the rest.
 */
export class WorkInFlight {
  readonly #device: string;
  readonly #pending = new Set<Promise<unknown>>();
  readonly #readers = new Map<DeviceTensor, number>();
  /** Freed tensors that are still read, and what releases them. */
  readonly #freed = new Map<DeviceTensor, () => void>();
  #closing: Promise<void> | undefined;

  constructor(device: string) {
    this.#device = device;
  }

  /** Begins `work`; throws, and does not begin it, where a tensor that it reads was freed or the device is closed. */
  async begin<T>(reads: readonly DeviceTensor[], work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new Error(`${this.#device} is closed; expected it to be open for as long as it is used`);
    for (const tensor of reads) this.#refuseFreed(tensor);
    for (const tensor of reads) this.#readers.set(tensor, (this.#readers.get(tensor) ?? 0) + 1);
    const pending = work();
    this.#pending.add(pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(pending);
      for (const tensor of reads) this.#finishReading(tensor);
    }
  }

  /** Calls `release` as soon as nothing reads the tensor. */
  free(tensor: DeviceTensor, release: () => void): void {
    this.#refuseFreed(tensor);
    if (this.#readers.has(tensor)) this.#freed.set(tensor, release);
    else release();
  }

  /** Calls `release` once, when all that began is over, however it ended. */
  close(release: () => void | Promise<void>): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#pending).then(release);
    return this.#closing;
  }

  #refuseFreed(tensor: DeviceTensor): void {
    if (!this.#freed.has(tensor)) return;
    throw new Error(`${this.#device}: the tensor ${tensor.dtype} [${tensor.shape.join(", ")}] was freed`);
  }

  #finishReading(tensor: DeviceTensor): void {
    const left = (this.#readers.get(tensor) ?? 0) - 1;
    if (left > 0) {
      this.#readers.set(tensor, left);
      return;
    }
    this.#readers.delete(tensor);
    this.#freed.get(tensor)?.();
    this.#freed.delete(tensor);
  }
}
