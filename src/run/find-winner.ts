import { isDeepStrictEqual } from "node:util";
import type { RecordPayloads, ScoredModel } from "../journal/records.ts";
import { bestSoFar, leastLoss } from "./search/best-so-far.ts";
import { compareTexts } from "./finish/compare-texts.ts";
import { type Champion, chooseWinner } from "./finish/choose-winner.ts";
import { canJudgeMore, judgeWinner } from "./finish/judge-winner.ts";
import type { Front } from "./finish/front.ts";
import { type Plan, planSearch, replanSearch } from "./search/plan-search.ts";
import { canGrow, growBaselines, scoreBaselines, type ScoredBaselines } from "./baselines/score-baselines.ts";
import { hasRoom, searchGenerations } from "./search/search-generations.ts";
import { beginSearch, type SearchState } from "./search/search-state.ts";
import { longest } from "./baselines/scored-rungs.ts";
import type { Session } from "./session/session.ts";
import { whyStopped } from "./search/stopped-search.ts";

/** What the phases of a run lead to, or have led to so far. */
export interface Found {
  readonly winner: ScoredModel;
  /** Whether merges of the search met rows of the baselines for that. */
  readonly isCompared: boolean;
  /** On the winner, beside its baselines; absent where it did not meet the guard rows. */
  readonly verdict?: RecordPayloads["verdict"];
  /** Where tasks are objectives of their own and merges of the search were compared. */
  readonly front?: Front;
  /** Its members that met the guard rows, apart from the models of a verdict; absent where none did. */
  readonly picks?: RecordPayloads["verdict"]["picks"];
  /** What winner and parents write, where tasks want texts and there was time for it. */
  readonly texts?: RecordPayloads["texts"];
  /** Generations that the search has scored. */
  readonly generations: number;
  /** Whether another one was begun, and given up for the finish to have its time. */
  readonly gaveUp: boolean;
  /** Verdicts that the guard rows have given, this one included: one a budget, where each found a better winner, or time for more rows. */
  readonly looks: number;
}

/**
 * All phases of a run. A budget that is given once there is a winner leads to another round: what was left out of the
 * baselines is scored, the search goes on from where it stood, and what was chosen before competes with what it finds then.
 */
export async function findWinner(session: Session): Promise<Found> {
  const { recorder } = session;
  let scored = await scoreBaselines(session);
  if (recorder.isOver)
    return {
      winner: leastLoss(longest(scored.baselines), []),
      isCompared: false,
      generations: 0,
      gaveUp: false,
      looks: 0,
    };
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
    if (recorder.isOver) return found ?? unfinished(session, search, scored);
    if (!recorder.replans) {
      const { winner, rows, front = found?.front } = await chooseWinner(session, search, scored, champion);
      champion = rows && { winner, rows, generations };
      const looks = found?.looks ?? 0;
      const compared = { isCompared: rows !== undefined, generations, gaveUp: search.asked !== undefined };
      const now = { winner, ...compared, looks, ...(front && { front }) };
      const { picks, ...before } = found ?? {};
      // Places of another front are others.
      const kept = { ...before, ...(picks && front === found?.front && { picks }) };
      found = isDeepStrictEqual(winner.recipe, found?.winner.recipe) ? { ...kept, ...now } : now;
      if (recorder.isOver) return found;
      if (!goesOn(session, plan, search, scored)) {
        found = await judged(session, found, scored);
        // Another budget is for the search first.
        if (found.looks > looks && !goesOn(session, plan, search, scored, found))
          found = await withTexts(session, found);
        if (!goesOn(session, plan, search, scored, found)) {
          if (recorder.replans) tellNoRoom(session, search);
          return found;
        }
      }
    }
    scored = (await growBaselines(session, scored)) ?? scored;
    if (recorder.isOver) return found ?? unfinished(session, search, scored);
    plan = await replanSearch(session, first, search);
    if (recorder.upcoming === undefined && search.means.length > 0 && !hasRoom(session, plan, search)) {
      tellNoRoom(session, search);
    }
  }
}

/** What there is of a run that has not come to its finalists. */
function unfinished(session: Session, search: SearchState, scored: ScoredBaselines): Found {
  const winner = bestSoFar(session, search, scored);
  return { winner, isCompared: false, generations: search.means.length, gaveUp: false, looks: 0 };
}

/** Whether a budget was given since that has room for more: generations, what baselines were left out of, or guard rows. */
function goesOn(session: Session, plan: Plan, search: SearchState, scored: ScoredBaselines, found?: Found): boolean {
  const { recorder } = session;
  if (!recorder.replans || recorder.upcoming !== undefined) return recorder.replans;
  return (
    hasRoom(session, plan, search) ||
    canGrow(session, scored) ||
    (found?.verdict !== undefined && canJudgeMore(session, found.verdict))
  );
}

/** Says why a budget that was given since leads to no more generations. */
function tellNoRoom({ emit }: Session, search: SearchState): void {
  const why =
    whyStopped(search) ?? "the budget, in which the run's time so far counts, has no room for another generation";
  emit({ type: "skipped", phase: "search", why });
}

/** With what winner and parents of its verdict, which has just been given, write. */
async function withTexts(session: Session, found: Found): Promise<Found> {
  const texts = found.verdict && (await compareTexts(session, found.verdict));
  return texts ? { ...found, texts } : found;
}

/** With the verdict on the winner, which it keeps where it has one, unless there is time for it on more of the guard rows. */
async function judged(session: Session, found: Found, scored: ScoredBaselines): Promise<Found> {
  const { recorder } = session;
  const isRecorded = recorder.upcoming === "verdict";
  if (found.verdict && !isRecorded && !canJudgeMore(session, found.verdict)) return found;
  const verdict = await judgeWinner(session, found, scored);
  if (!verdict) return found;
  const { texts: _, picks: __, ...others } = found;
  const { picks } = verdict;
  return { ...others, verdict, ...(picks && { picks }), looks: found.looks + 1 };
}
