/** How a long scoring goes on: some batches at once, as the clock and the memory allow, and what was scored is kept. */
import { computedTokens, firstBatches, totalTokens } from "./batch-sizes.ts";
import type { BatchPlan } from "./pack.ts";
import type { Pace } from "./pace.ts";
import type { ScoreOptions } from "./scorer.ts";
import { type LogLikelihoods, PartKeeper } from "./scored-parts.ts";

export interface BatchScoring<Batch extends BatchPlan> {
  readonly batches: readonly Batch[];
  /** Sums so far, of which `send` adds its own: [candidate][prompt][continuation]. */
  readonly logLikelihoods: LogLikelihoods;
  /** Padded tokens that one call of `send` takes at most. */
  readonly mostPadded: number;
  readonly pace: Pace;
  readonly now: () => number;
  /** Scores the next batches under all candidates, and tells the milliseconds that it waited for the parents' weights. */
  readonly send: (packed: readonly Batch[], report: (share: number) => void) => Promise<number>;
}

/** Scores all batches, those left out that `parts` has kept. */
export async function scoreBatches<Batch extends BatchPlan>(
  { batches, logLikelihoods, mostPadded, pace, now, send }: BatchScoring<Batch>,
  { signal, parts, onProgress, onTime }: ScoreOptions,
): Promise<void> {
  const keeper = new PartKeeper(parts, batches, logLikelihoods, now);
  const total = totalTokens(batches, computedTokens);
  let done = keeper.kept;
  while (done < batches.length) {
    const timely = parts ? pace.tokensIn(parts.partMs, logLikelihoods.length) : Infinity;
    const packed = firstBatches(batches.slice(done), { padded: mostPadded, computed: timely });
    const before = totalTokens(batches.slice(0, done), computedTokens);
    const own = totalTokens(packed, computedTokens);
    const report = (share: number): void => onProgress?.((before + share * own) / total);
    const waitMs = await send(packed, report).catch((error: unknown) => {
      if (signal?.aborted) keeper.aborted();
      throw error;
    });
    done += packed.length;
    keeper.scored(done, { tokens: own, waitMs });
  }
  onTime?.(keeper.time);
}
