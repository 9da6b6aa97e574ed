import type { PassTime } from "./pass.ts";

/** How many times a part's time a pass may take because the parents take so long to come. */
const MOST_WAITING = 10;

/** How fast passes go: what a pass may hold to take about so long, from the passes before it. */
export class Pace {
  /** Milliseconds of one token of one candidate; unknown before the first pass. */
  #tokenMs: number | undefined;
  #longestWaitMs = 0;

  /**
   * Tokens of each of `candidates` that are computed in about `ms`, or in the time the parents take to come: shorter
   * passes would wait for them. None before the first pass.
   */
  tokensIn(ms: number, candidates: number): number {
    if (this.#tokenMs === undefined) return 0;
    const computingMs = Math.max(ms, Math.min(this.#longestWaitMs, MOST_WAITING * ms));
    return Math.floor(computingMs / (this.#tokenMs * candidates));
  }

  /** Learns from a pass over so many padded tokens. */
  learn({ tokens, candidates, ms, waitMs }: PassTime & { readonly tokens: number; readonly candidates: number }): void {
    this.#tokenMs = Math.max(Number.MIN_VALUE, (ms - waitMs) / (tokens * candidates));
    this.#longestWaitMs = Math.max(this.#longestWaitMs, waitMs);
  }
}
