import type { RecordPayloads } from "../journal/records.ts";
import { exportTime, finishTime, finishWithin } from "./finish-time.ts";
import type { Session } from "./session.ts";

/** Of what opening and export leave of a budget, what finalists and guard have in any case. */
const FINISH_SHARE = 1 / 6;

/**
 * Milliseconds left for a search that was planned, less what the finish takes. The finish has what the baselines left of
 * their half of the budget; a machine that becomes slower has it scored on less, not the search shortened to nothing.
 */
export function searchMsLeft(session: Session, { elapsedMs }: Pick<RecordPayloads["plan"], "elapsedMs">): number {
  const { clock } = session;
  if (!clock.isTimed) return Infinity;
  const exportMs = exportTime(session);
  const ownMs = Math.max(
    clock.totalMs / 2 - elapsedMs,
    exportMs + FINISH_SHARE * (clock.totalMs - elapsedMs - exportMs),
  );
  return clock.remainingMs - finishTime(session, finishWithin(session, ownMs)).totalMs;
}
