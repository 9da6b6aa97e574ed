import type { Score } from "./optimizer.ts";

/** What an optimizer has asked and not been told yet; it keeps the ask-and-tell protocol for all of them. */
export class PendingGeneration<T> {
  #candidates: readonly T[] | undefined;

  /** Starts a generation with the candidates that `propose` returns; throws while another one is open. */
  open(propose: () => readonly T[]): readonly T[] {
    if (this.#candidates) throw new Error("ask() was called twice without a tell() in between");
    this.#candidates = propose();
    return this.#candidates;
  }

  /** Ends the generation and returns its candidates; throws when there are not as many scores. */
  close(scores: readonly unknown[]): readonly T[] {
    const candidates = this.#candidates;
    if (!candidates) throw new Error("tell() was called without an ask() before it");
    if (scores.length !== candidates.length) {
      throw new Error(`tell() got ${scores.length} scores for ${candidates.length} candidates`);
    }
    this.#candidates = undefined;
    return candidates;
  }
}

/** Indices of the candidates that did not fail, from the least loss; ties keep the order in which they were asked. */
export function rankSucceeded(losses: readonly number[]): number[] {
  return [...losses.keys()].filter((i) => Number.isFinite(losses[i])).toSorted((a, b) => losses[a]! - losses[b]!);
}

/** The gradient of a candidate that wanted one; undefined where the candidate failed, throws where it is missing. */
export function gradientOf({ loss, gradient }: Score): Float64Array | undefined {
  if (!Number.isFinite(loss)) return undefined;
  if (!gradient) throw new Error("tell() got no gradient for a candidate that wants one");
  return gradient.every(Number.isFinite) ? gradient : undefined;
}
