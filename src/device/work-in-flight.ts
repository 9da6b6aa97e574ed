/** What a device has begun and not finished. Closing lets nothing new begin and waits for the rest. */
export class WorkInFlight {
  readonly #device: string;
  readonly #pending = new Set<Promise<unknown>>();
  #closing: Promise<void> | undefined;

  constructor(device: string) {
    this.#device = device;
  }

  /** Begins `work`; throws, and does not begin it, on a device that is closed or about to be. */
  async begin<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing) throw new Error(`${this.#device} is closed; expected it to be open for as long as it is used`);
    const pending = work();
    this.#pending.add(pending);
    try {
      return await pending;
    } finally {
      this.#pending.delete(pending);
    }
  }

  /** Calls `release` once, when all that began is over, however it ended. */
  close(release: () => void): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#pending).then(release);
    return this.#closing;
  }
}
