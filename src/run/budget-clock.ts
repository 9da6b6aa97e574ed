import type { Budget } from "../experiment/experiment-file.ts";
import { type Clock, systemClock } from "./clock.ts";

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

  constructor(budget: Budget, earlierMs: number, wall: Clock = systemClock) {
    this.totalMs = "seconds" in budget ? budget.seconds * 1000 : Infinity;
    this.wall = wall;
    this.#startedAt = wall.now();
    this.#earlierMs = earlierMs;
  }

  /** Whether the budget is one of time. */
  get isTimed(): boolean {
    return this.totalMs !== Infinity;
  }

  get elapsedMs(): number {
    return this.#earlierMs + this.wall.now() - this.#startedAt;
  }

  /** Milliseconds until the whole budget is used; Infinity under an evaluation budget. */
  get remainingMs(): number {
    return this.totalMs - this.elapsedMs;
  }
}
