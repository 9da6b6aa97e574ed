import type { Clock } from "../src/run/time/clock.ts";

/** A clock that stands still until a test puts it forward, or until something takes time on it. */
export class VirtualClock implements Clock {
  #now: number;
  readonly #due = new Set<{ readonly at: number; readonly act: () => void }>();

  constructor(now = 0) {
    this.#now = now;
  }

  readonly now = (): number => this.#now;

  readonly after = (ms: number, act: () => void): (() => void) => {
    const one = { at: this.#now + ms, act };
    this.#due.add(one);
    return () => void this.#due.delete(one);
  };

  /** Lets time pass; what is due meanwhile happens at its time. */
  pass(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#due].filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at);
      if (!next) break;
      this.#due.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.act();
    }
    this.#now = end;
  }
}
