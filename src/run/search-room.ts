import type { RowCounts } from "../journal/records.ts";
import type { Plan } from "./plan-search.ts";
import { lastFraction, rowFractionFor } from "./search-cost.ts";
import { evaluationsIn, generationKind } from "./search-kind.ts";
import type { SearchState } from "./search-state.ts";
import { searchMsLeft } from "./search-time.ts";
import type { Session } from "./session.ts";

/** Rows of the next generation, fewer where time does not suffice for those that were planned; undefined where it is over. */
export function nextCounts(session: Session, plan: Plan, search: SearchState): RowCounts | undefined {
  const { clock, experiment, order } = session;
  if ("evaluations" in experiment.budget) {
    return evaluationsLeft(session, search) >= evaluationsIn(generationKind(session))
      ? order.counts("search", plan.rowFraction, 1)
      : undefined;
  }
  const leftMs = searchMsLeft(session, plan);
  // What a gradient takes was a guess when the rows were planned.
  const planned = generationKind(session).usesGradients
    ? Math.min(plan.rowFraction, rowFractionFor(session, clock.searchedMs + leftMs))
    : plan.rowFraction;
  const fraction = lastFraction(session, planned, leftMs, search.means.length === 0);
  return fraction === undefined ? undefined : order.counts("search", fraction, 1);
}

/** Evaluations that the budget has left; Infinity where it is one of time. */
export function evaluationsLeft(session: Session, { optimizer }: SearchState): number {
  const { budget } = session.experiment;
  if (!("evaluations" in budget)) return Infinity;
  return budget.evaluations - optimizer.generation * evaluationsIn(generationKind(session));
}

/**
 * The part of what the search may spend that is spent, from 0 to 1, when another generation has taken so many milliseconds. A
 * budget that was given since, or a machine that has become slower, changes it.
 */
export function spentWith(session: Session, plan: Plan, search: SearchState, ms: number): number {
  const { clock, experiment } = session;
  const { budget } = experiment;
  if ("evaluations" in budget) {
    return Math.min(
      1,
      ((search.optimizer.generation + 1) * evaluationsIn(generationKind(session))) / budget.evaluations,
    );
  }
  const spentMs = clock.searchedMs + ms;
  const leftMs = Math.max(0, searchMsLeft(session, plan));
  return spentMs + leftMs > 0 ? spentMs / (spentMs + leftMs) : 1;
}
