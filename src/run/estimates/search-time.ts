import type { RecordPayloads } from "../../journal/records.ts";
import { LEAST_FINISH } from "./effort.ts";
import { exportTime, finishTime, finishWithin } from "./finish-time.ts";
import type { Session } from "../session/session.ts";

/** Of what opening and export leave of a budget, what finalists and guard have in any case. */
const FINISH_SHARE = 1 / 6;

type Planned = Pick<RecordPayloads["plan"], "elapsedMs">;

/** Milliseconds left for a search that was planned, less what the finish takes. */
export function searchMsLeft(session: Session, plan: Planned): number {
  const { clock } = session;
  return clock.isTimed ? clock.remainingMs - finishMs(session, plan) : Infinity;
}

/** Milliseconds that a generation which takes longer than was planned leaves to the finish. */
export function leastFinishMs(session: Session, plan: Planned): number {
  if (!session.clock.isTimed) return 0;
  return Math.min(finishMs(session, plan), finishTime(session, LEAST_FINISH).totalMs);
}

/**
 * The finish has what the baselines left of their half of the budget; a machine that becomes slower has it scored on less,
 * not the search shortened to nothing.
 */
function finishMs(session: Session, { elapsedMs }: Planned): number {
  const { clock } = session;
  const exportMs = exportTime(session);
  const ownMs = Math.max(
    clock.totalMs / 2 - clock.besideMs,
    exportMs + FINISH_SHARE * (clock.totalMs - elapsedMs - exportMs),
  );
  return finishTime(session, finishWithin(session, ownMs)).totalMs;
}
