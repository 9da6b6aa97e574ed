import type { JournalRecord } from "./records.ts";

/** Milliseconds that a run has taken, as far as it is recorded. */
export function elapsedMsOf(records: readonly JournalRecord[]): number {
  return records.findLast((record) => "elapsedMs" in record)?.elapsedMs ?? 0;
}
