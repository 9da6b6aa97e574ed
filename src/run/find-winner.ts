import { isDeepStrictEqual } from "node:util";
import type { RecordPayloads, ScoredModel } from "../journal/records.ts";
import { bestSoFar, chooseWinner } from "./choose-winner.ts";
import { finishTime, type FinishTime } from "./finish-time.ts";
import { judgeWinner } from "./judge-winner.ts";
import { type Plan, planSearch, replanSearch } from "./plan-search.ts";
import { scoreBaselines, type ScoredBaselines } from "./score-baselines.ts";
import { hasRoom, searchGenerations } from "./search-generations.ts";
import { beginSearch, type SearchState } from "./search-state.ts";
import type { Session } from "./session.ts";

/** What the phases of a run lead to, or have led to so far. */
export interface Found {
  readonly winner: ScoredModel;
  /** On the winner, beside its baselines; absent where it did not meet the guard rows. */
  readonly verdict?: RecordPayloads["verdict"];
  /** Winners that the guard rows have judged, this one included: one a budget, where each found a better one. */
  readonly looks: number;
}

/**
 * All phases of a run. A budget that is given once there is a winner leads to another round: the search goes on from where
 * it stood, and what was chosen before competes with what it finds then.
 */
export async function findWinner(session: Session): Promise<Found> {
  const { recorder } = session;
  const scored = await scoreBaselines(session);
  const first = await planSearch(session, scored);
  const search = beginSearch(session, first, scored);
  let plan = first;
  let found: Found | undefined;
  for (;;) {
    await searchGenerations(session, search, plan, scored);
    // While the search goes on, what an earlier budget has led to is better known than the last mean.
    if (recorder.isOver) return found ?? { winner: bestSoFar(session, search.means, scored), looks: 0 };
    if (!recorder.replans) {
      const finish = finishTime(session, search.evaluationMs);
      const winner = await chooseWinner(session, search.means, scored, finish, found?.winner);
      found = isDeepStrictEqual(winner.recipe, found?.winner.recipe)
        ? { ...found, winner, looks: found?.looks ?? 0 }
        : { winner, looks: found?.looks ?? 0 };
      if (recorder.isOver) return found;
      if (!goesOn(session, plan, search)) {
        found = await judged(session, found, scored, finish);
        if (!goesOn(session, plan, search)) {
          tellNoRoom(session, search);
          return found;
        }
      }
    }
    plan = await replanSearch(session, first, search.evaluationMs);
  }
}

/** Whether a budget was given since that has room for more. */
function goesOn(session: Session, plan: Plan, search: SearchState): boolean {
  const { recorder } = session;
  return recorder.replans && (recorder.upcoming !== undefined || hasRoom(session, plan, search));
}

/** Says why a budget that was given since leads to nothing more. */
function tellNoRoom({ recorder, emit }: Session, { optimizer }: SearchState): void {
  if (!recorder.replans) return;
  const why = optimizer.converged
    ? "it has converged, another generation would change nothing"
    : "the budget, in which the run's time so far counts, has no room for another generation";
  emit({ type: "skipped", phase: "search", why });
}

/** With the verdict on the winner, which it keeps where it has one: nobody looks at the guard rows twice for the same. */
async function judged(session: Session, found: Found, scored: ScoredBaselines, finish: FinishTime): Promise<Found> {
  if (found.verdict) return found;
  const verdict = await judgeWinner(session, found.winner, scored, finish);
  return verdict ? { ...found, verdict, looks: found.looks + 1 } : found;
}
