/** What an optimizer has asked and not been told yet; it keeps the ask-and-tell protocol for all of them. */
export class PendingGeneration<T> {
  #candidates: readonly T[] | undefined;

  /** Starts a generation with the candidates that `propose` returns; throws while another one is open. */
  open(propose: () => readonly T[]): readonly T[] {
    if (this.#candidates) throw new Error("ask() was called twice without a tell() in between");
    this.#candidates = propose();
    return this.#candidates;
  }

  /** Ends the generation and returns its candidates; throws when `losses` does not match them. */
  close(losses: readonly number[]): readonly T[] {
    const candidates = this.#candidates;
    if (!candidates) throw new Error("tell() was called without an ask() before it");
    if (losses.length !== candidates.length) {
      throw new Error(`tell() got ${losses.length} losses for ${candidates.length} candidates`);
    }
    this.#candidates = undefined;
    return candidates;
  }
}

/** Indices of the candidates that did not fail, from the least loss; ties keep the order in which they were asked. */
export function rankSucceeded(losses: readonly number[]): number[] {
  return [...losses.keys()].filter((i) => Number.isFinite(losses[i])).toSorted((a, b) => losses[a]! - losses[b]!);
}
