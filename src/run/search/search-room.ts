import type { RowCounts } from "../../journal/records.ts";
import type { Plan } from "./plan-search.ts";
import { generationMs, lastFraction, rowFractionFor } from "../estimates/search-cost.ts";
import { evaluationsIn, generationKind } from "../estimates/search-kind.ts";
import type { SearchState } from "./search-state.ts";
import { searchMsLeft } from "../estimates/search-time.ts";
import type { Session } from "../session/session.ts";

/** Rows of the next generation, fewer where time does not suffice for those that were planned; undefined where it is over. */
export function nextCounts(session: Session, plan: Plan, search: SearchState): RowCounts | undefined {
  const { clock, experiment, order } = session;
  const kind = generationKind(session, search.optimizer);
  const planned = plannedCounts(session, plan, search);
  if ("evaluations" in experiment.budget) {
    return evaluationsLeft(session, search) >= evaluationsIn(kind) ? planned : undefined;
  }
  const leftMs = searchMsLeft(session, plan);
  if (search.sameRows) return generationMs(session, kind, shareOf(session, planned)) <= leftMs ? planned : undefined;
  // What a gradient takes was a guess when the rows were planned.
  const fractionPlanned = kind.usesGradients
    ? Math.min(plan.rowFraction, rowFractionFor(session, kind, clock.searchedMs + leftMs))
    : plan.rowFraction;
  const fraction = lastFraction(session, kind, {
    planned: fractionPlanned,
    leftMs,
    isFirst: search.means.length === 0,
  });
  return fraction === undefined ? undefined : order.counts("search", fraction, 1);
}

/** Rows of the next generation, whatever time there is: those of the first one where all meet the same. */
export function plannedCounts({ order }: Session, { rowFraction }: Plan, { sameRows }: SearchState): RowCounts {
  return sameRows ?? order.counts("search", rowFraction, 1);
}

/** Of all search rows. */
function shareOf({ tasks }: Session, counts: RowCounts): number {
  const all = tasks.reduce((sum, { search }) => sum + search.length, 0);
  return Object.values(counts).reduce((sum, count) => sum + count, 0) / all;
}

/** Evaluations that the budget has left; Infinity where it is one of time. */
export function evaluationsLeft({ experiment: { budget } }: Session, { evaluations }: SearchState): number {
  return "evaluations" in budget ? budget.evaluations - evaluations : Infinity;
}

/**
 * The part of what the search may spend that is spent, from 0 to 1, when another generation has taken so many milliseconds. A
 * budget that was given since, or a machine that has become slower, changes it.
 */
export function spentWith(session: Session, plan: Plan, search: SearchState, ms: number): number {
  const { clock, experiment } = session;
  const { budget } = experiment;
  if ("evaluations" in budget) {
    const own = evaluationsIn(generationKind(session, search.optimizer));
    return Math.min(1, (search.evaluations + own) / budget.evaluations);
  }
  const spentMs = clock.searchedMs + ms;
  const leftMs = Math.max(0, searchMsLeft(session, plan));
  return spentMs + leftMs > 0 ? spentMs / (spentMs + leftMs) : 1;
}
