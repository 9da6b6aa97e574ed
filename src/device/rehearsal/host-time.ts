/** What a thread spends on its work, in milliseconds, without what it spends aside. */
export class HostTime {
  readonly #now: () => number;
  #asideMs = 0;
  /** Since when, and by how many pieces of work at once. */
  #aside = { since: 0, count: 0 };
  #taken: number;

  constructor(now: () => number) {
    this.#now = now;
    this.#taken = now();
  }

  /** Since it was taken last. */
  take(): number {
    const total = this.#total();
    const ms = total - this.#taken;
    this.#taken = total;
    return ms;
  }

  /** Does something aside; what else the thread does meanwhile is not counted either. */
  async aside<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#aside.count === 0) this.#aside.since = this.#now();
    this.#aside.count += 1;
    try {
      return await work();
    } finally {
      this.#aside.count -= 1;
      if (this.#aside.count === 0) this.#asideMs += this.#now() - this.#aside.since;
    }
  }

  #total(): number {
    const { since, count } = this.#aside;
    return (count > 0 ? since : this.#now()) - this.#asideMs;
  }
}
