/** Lines that need to know nothing of a search. */
import type { RunEvent } from "../run/session/events.ts";

/** The line of a notice, and none of what else goes on. */
export function noticeLines(event: RunEvent): readonly string[] {
  return event.type === "notice" ? [`note: ${event.text}`] : [];
}
