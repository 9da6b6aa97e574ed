import { type Clock, systemClock } from "./clock.ts";

/**
 * How long it takes to open everything that an export opens again. It opens models twice, with those it has written; but the
 * first time engine and processes were yet to be started, which is more than half of it.
 */
export class Opening {
  readonly wall: Clock;
  readonly #began: number;
  #openMs = 0;
  #readMs = 0;

  constructor(wall: Clock = systemClock) {
    this.wall = wall;
    this.#began = wall.now();
  }

  /** Models and engine are open. */
  isOpen(): void {
    this.#openMs = this.wall.now() - this.#began;
  }

  /** Rows are read, which were not before. */
  isRead(): void {
    this.#readMs = this.wall.now() - this.#began - this.#openMs;
  }

  /** Milliseconds of an export. */
  get againMs(): number {
    return this.#openMs + this.#readMs;
  }
}
