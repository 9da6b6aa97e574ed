/** Wall-clock time in milliseconds from any beginning, and what is to happen at a time. Tests have one that they put forward. */
export interface Clock {
  readonly now: () => number;
  /** Calls `act` once, in `ms` milliseconds, unless the returned function is called before. Keeps no process alive. */
  readonly after: (ms: number, act: () => void) => () => void;
}

/** A timer holds at most 2^31 - 1 ms; what is to happen later does not happen. */
const LONGEST_MS = 2 ** 31 - 1;

/** That of this machine. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after: (ms, act) => {
    if (ms > LONGEST_MS) return () => {};
    const timer = setTimeout(act, Math.max(0, ms));
    timer.unref();
    return () => clearTimeout(timer);
  },
};
