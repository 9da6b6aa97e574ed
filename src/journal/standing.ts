import { isDeepStrictEqual } from "node:util";
import type { JournalRecord, RecordPayloads, ScoredModel } from "./records.ts";

/** What a run has come to, as far as it is recorded. */
export interface Standing {
  /** That of the last finalists. */
  readonly winner?: ScoredModel;
  /** Whether merges of the search met rows of the baselines when it was chosen. */
  readonly isCompared: boolean;
  /** The one on this winner. */
  readonly verdict?: RecordPayloads["verdict"];
  /** How often the guard rows have judged a winner of the run, the same one on more of them included. */
  readonly looks: number;
  /** Generations that the search has scored. */
  readonly generations: number;
  /** The last ones, which another budget may have scored on more rows; absent before they are scored. */
  readonly baselines?: RecordPayloads["baselines"];
}

/** The winner of a run and the verdict on it; those that earlier budgets led to are passed over. */
export function standingOf(records: readonly JournalRecord[]): Standing {
  const finalists = records.findLast((record) => record.type === "finalists");
  const winner = finalists?.winner;
  const baselines = records.findLast((record) => record.type === "baselines");
  const verdicts = records.filter((record) => record.type === "verdict");
  const last = verdicts.at(-1);
  const judged = last?.models.find(({ kind }) => kind === "winner");
  return {
    ...(winner && { winner }),
    isCompared: finalists?.rows !== undefined,
    ...(winner && last && isDeepStrictEqual(judged?.recipe, winner.recipe) && { verdict: last }),
    looks: verdicts.length,
    generations: records.filter(({ type }) => type === "result").length,
    ...(baselines && { baselines }),
  };
}
