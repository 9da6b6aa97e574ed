import { isDeepStrictEqual } from "node:util";
import type { RecordPayloads, ScoredModel } from "../journal/records.ts";
import { bestSoFar, leastLoss } from "./best-so-far.ts";
import { type Champion, chooseWinner } from "./choose-winner.ts";
import { judgeWinner } from "./judge-winner.ts";
import { type Plan, planSearch, replanSearch } from "./plan-search.ts";
import { scoreBaselines, type ScoredBaselines } from "./score-baselines.ts";
import { hasRoom, searchGenerations } from "./search-generations.ts";
import { beginSearch, type SearchState } from "./search-state.ts";
import { longest } from "./scored-rungs.ts";
import type { Session } from "./session.ts";
import { whyStopped } from "./stopped-search.ts";

/** What the phases of a run lead to, or have led to so far. */
export interface Found {
  readonly winner: ScoredModel;
  /** Whether merges of the search met rows of the baselines for that. */
  readonly isCompared: boolean;
  /** On the winner, beside its baselines; absent where it did not meet the guard rows. */
  readonly verdict?: RecordPayloads["verdict"];
  /** Generations that the search has scored. */
  readonly generations: number;
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
  if (recorder.isOver)
    return { winner: leastLoss(longest(scored.baselines), []), isCompared: false, generations: 0, looks: 0 };
  const first = await planSearch(session, scored);
  const search = beginSearch(session, first);
  let plan = first;
  let found: Found | undefined;
  /** The winner so far, where it was compared. */
  let champion: Champion | undefined;
  for (;;) {
    await searchGenerations(session, search, plan, scored);
    // While the search goes on, what an earlier budget has led to is better known than the last mean.
    const generations = search.means.length;
    if (recorder.isOver)
      return found ?? { winner: bestSoFar(session, search, scored), isCompared: false, generations, looks: 0 };
    if (!recorder.replans) {
      const { winner, rows } = await chooseWinner(session, search, scored, champion);
      champion = rows && { winner, rows };
      const looks = found?.looks ?? 0;
      const isCompared = rows !== undefined;
      found = isDeepStrictEqual(winner.recipe, found?.winner.recipe)
        ? { ...found, winner, isCompared, generations, looks }
        : { winner, isCompared, generations, looks };
      if (recorder.isOver) return found;
      if (!goesOn(session, plan, search)) {
        found = await judged(session, found, scored);
        if (!goesOn(session, plan, search)) {
          tellNoRoom(session, search);
          return found;
        }
      }
    }
    plan = await replanSearch(session, first);
  }
}

/** Whether a budget was given since that has room for more. */
function goesOn(session: Session, plan: Plan, search: SearchState): boolean {
  const { recorder } = session;
  return recorder.replans && (recorder.upcoming !== undefined || hasRoom(session, plan, search));
}

/** Says why a budget that was given since leads to nothing more. */
function tellNoRoom({ recorder, emit }: Session, search: SearchState): void {
  if (!recorder.replans) return;
  const why =
    whyStopped(search) ?? "the budget, in which the run's time so far counts, has no room for another generation";
  emit({ type: "skipped", phase: "search", why });
}

/** With the verdict on the winner, which it keeps where it has one: nobody looks at the guard rows twice for the same. */
async function judged(session: Session, found: Found, scored: ScoredBaselines): Promise<Found> {
  if (found.verdict) return found;
  const verdict = await judgeWinner(session, found.winner, scored);
  return verdict ? { ...found, verdict, looks: found.looks + 1 } : found;
}
