import { isDeepStrictEqual } from "node:util";
import type { FrontMember, JournalRecord, JudgedPick, RecordPayloads, ScoredModel } from "./records.ts";

/** What a run has come to, as far as it is recorded. */
export interface Standing {
  /** That of the last finalists. */
  readonly winner?: ScoredModel;
  /** Whether merges of the search met rows of the baselines when it was chosen. */
  readonly isCompared: boolean;
  /** The one on this winner. */
  readonly verdict?: RecordPayloads["verdict"];
  /** What winner and parents of that verdict write. */
  readonly texts?: RecordPayloads["texts"];
  /** The last one, where tasks are objectives of their own. */
  readonly front?: readonly FrontMember[];
  /** Its members that met the guard rows, apart from the models of the verdict. */
  readonly picks?: readonly JudgedPick[];
  /** How often the guard rows have judged a winner, of the run or of those it descends from, the same one on more of them included. */
  readonly looks: number;
  /** Generations that the search has scored. */
  readonly generations: number;
  /** Whether another one was begun, and given up for the finish to have its time. */
  readonly gaveUp: boolean;
  /** The last ones, which another budget may have scored on more rows; absent before they are scored. */
  readonly baselines?: RecordPayloads["baselines"];
}

/** The winner of a run and the verdict on it; those that earlier budgets led to are passed over. */
export function standingOf(records: readonly JournalRecord[]): Standing {
  const finished = Math.max(
    0,
    records.findLastIndex(({ type }) => type === "finalists"),
  );
  const finalists = records.findLast((record) => record.type === "finalists");
  const winner = finalists?.winner;
  const baselines = records.findLast((record) => record.type === "baselines");
  const verdicts = records.filter((record) => record.type === "verdict");
  const verdict = verdicts.at(-1);
  const judgedAt = records.findLastIndex(({ type }) => type === "verdict");
  const texts = records.slice(judgedAt + 1).find((record) => record.type === "texts");
  const frontAt = records.findLastIndex((record) => record.type === "finalists" && record.front !== undefined);
  const compared = records[frontAt];
  const front = compared?.type === "finalists" ? compared.front : undefined;
  // Places of an earlier front are others.
  const picks = judgedAt > frontAt ? verdict?.picks : undefined;
  const judged = verdict?.models.find(({ kind }) => kind === "winner");
  const generations = records.filter(({ type }) => type === "result").length;
  // One that was given up is asked for again when another budget has room for it.
  const last = records.slice(0, finished).findLast((record) => record.type === "ask");
  return {
    ...(winner && { winner }),
    isCompared: finalists?.rows !== undefined,
    ...(winner && verdict && isDeepStrictEqual(judged?.recipe, winner.recipe) && { verdict, ...(texts && { texts }) }),
    ...(front && { front }),
    ...(picks && { picks }),
    looks: earlierLooks(records) + verdicts.length,
    generations,
    gaveUp: last !== undefined && last.generation >= generations,
    ...(baselines && { baselines }),
  };
}

/** How often the guard rows had judged a winner before, in the runs that this one descends from. */
export function earlierLooks([start]: readonly JournalRecord[]): number {
  return (start?.type === "start" && start.looks) || 0;
}

/** From so many generations on, one more would not have changed much. */
const MANY_GENERATIONS = 10;

/** Whether one that was given up is worth a word beside those that were scored. */
export function isMissed(generations: number): boolean {
  return generations < MANY_GENERATIONS;
}
