/** BytesRoom for so many bytes, which tasks take one after the other: as many at once as have room, and one alone that needs more. */
export class BytesRoom {
  readonly #bytes: number;
  readonly #waiting: {
    readonly bytes: number;
    readonly enter: () => void;
    readonly refuse: (reason: unknown) => void;
  }[] = [];
  #taken = 0;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  /** Waits for room, which is taken until it is left. */
  async enter(bytes: number): Promise<void> {
    await new Promise<void>((enter, refuse) => {
      this.#waiting.push({ bytes, enter, refuse });
      this.#admit();
    });
  }

  /** Takes what is not waited for. */
  take(bytes: number): void {
    this.#taken += bytes;
  }

  leave(bytes: number): void {
    this.#taken -= bytes;
    this.#admit();
  }

  /** Does the task once there is room for what it holds; who holds nothing waits for nobody. */
  async during<T>(bytes: number, task: () => Promise<T>): Promise<T> {
    if (bytes === 0) return task();
    await this.enter(bytes);
    try {
      return await task();
    } finally {
      this.leave(bytes);
    }
  }

  /** Refuses who waits. */
  clear(reason: unknown): void {
    for (const { refuse } of this.#waiting.splice(0)) refuse(reason);
  }

  #admit(): void {
    for (let [next] = this.#waiting; next && this.#has(next.bytes); [next] = this.#waiting) {
      this.#waiting.shift();
      this.take(next.bytes);
      next.enter();
    }
  }

  #has(bytes: number): boolean {
    return this.#taken === 0 || this.#taken + bytes <= this.#bytes;
  }
}
