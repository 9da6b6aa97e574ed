/** Lines that need to know nothing of a search. */
import { duration } from "../report/duration.ts";
import type { RunEvent } from "../run/events.ts";

/** The line of a notice, and none of what else goes on. */
export function noticeLines(event: RunEvent): readonly string[] {
  return event.type === "notice" ? [`note: ${event.text}`] : [];
}

/** When the search ends, which is before the budget does. */
export function searchEnd(leftMs: number): string {
  return `search ends in ${duration(leftMs)}`;
}
