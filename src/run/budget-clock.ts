import type { Budget } from "../experiment/experiment-file.ts";

/** Part of a time budget that is always kept for the finalists, the guard rows and the export. */
const FINISH_SHARE = 0.15;

/**
 * Active time of a run, which goes on from where the journal left it, and the moments at which its phases must end.
 * Time between two sittings of a resumed run does not count.
 */
export class BudgetClock {
  readonly #totalMs: number;
  readonly #startedAt = performance.now();
  readonly #earlierMs: number;

  constructor(budget: Budget, earlierMs: number) {
    this.#totalMs = "seconds" in budget ? budget.seconds * 1000 : Infinity;
    this.#earlierMs = earlierMs;
  }

  get elapsedMs(): number {
    return this.#earlierMs + performance.now() - this.#startedAt;
  }

  /** Milliseconds until the whole budget is used; Infinity under an evaluation budget. */
  get remainingMs(): number {
    return this.#totalMs - this.elapsedMs;
  }

  /** Milliseconds left for the search when the finish is expected to take `finishMs`. */
  searchMs(finishMs: number): number {
    return this.#totalMs === Infinity ? Infinity : this.remainingMs - Math.max(finishMs, FINISH_SHARE * this.#totalMs);
  }
}
