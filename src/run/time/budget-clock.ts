import type { Budget } from "../../experiment/experiment.ts";
import { type Clock, systemClock } from "./clock.ts";

/** What of a run's time is over, and what of it the search had, in milliseconds. */
export interface Spent {
  readonly elapsedMs: number;
  readonly searchedMs: number;
}

/**
 * Active time of a run, which goes on from where the journal left it, and what is left of its budget. Time between two
 * sittings of a resumed run does not count.
 */
export class BudgetClock {
  /** The whole budget in milliseconds; Infinity under an evaluation budget. */
  readonly totalMs: number;
  /** The clock of the wall. */
  readonly wall: Clock;
  readonly #startedAt: number;
  readonly #earlierMs: number;
  #searchedMs: number;

  constructor(budget: Budget, earlier: Spent = { elapsedMs: 0, searchedMs: 0 }, wall: Clock = systemClock) {
    this.totalMs = "seconds" in budget ? budget.seconds * 1000 : Infinity;
    this.wall = wall;
    this.#startedAt = wall.now();
    this.#earlierMs = earlier.elapsedMs;
    this.#searchedMs = earlier.searchedMs;
  }

  /** Whether the budget is one of time. */
  get isTimed(): boolean {
    return this.totalMs !== Infinity;
  }

  get elapsedMs(): number {
    return this.#earlierMs + this.wall.now() - this.#startedAt;
  }

  /** What of it generations had that are over. */
  get searchedMs(): number {
    return this.#searchedMs;
  }

  /** What of it everything but the search had. */
  get besideMs(): number {
    return this.elapsedMs - this.#searchedMs;
  }

  /** Told that the search had so much more. */
  searched(ms: number): void {
    this.#searchedMs += ms;
  }

  /** Milliseconds until the whole budget is used; Infinity under an evaluation budget. */
  get remainingMs(): number {
    return this.totalMs - this.elapsedMs;
  }
}
