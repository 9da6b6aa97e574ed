import { setImmediate } from "node:timers/promises";

/** Lets timers and I/O run between slices of work on the event loop's own thread. */
export class SlicePace {
  /** Operations of a matrix product that a slice may have. */
  readonly sliceFlop: number;
  #last = 0;

  constructor(sliceFlop: number) {
    this.sliceFlop = sliceFlop;
  }

  /** Yields to the event loop if it has not been reached for 20 ms. */
  async pause(): Promise<void> {
    if (performance.now() - this.#last < 20) return;
    await setImmediate();
    this.#last = performance.now();
  }
}
