import type { JournalRecord } from "./records.ts";

/** That a run uses a part of its rows, where the budget that it began with had no time to tokenise all. */
export function drawnSentences([start]: readonly JournalRecord[]): string[] {
  if (start?.type !== "start" || !start.drawn) return [];
  const { drawn, outOf = {} } = start;
  const count = (task: string, side: "search" | "guard"): string => {
    const all = outOf[task]?.[side];
    return `${drawn[task]?.[side] ?? 0}${all === undefined ? "" : ` of ${all}`} ${side} rows`;
  };
  const counts = Object.keys(drawn).map((task) => `${count(task, "search")} and ${count(task, "guard")} of ${task}`);
  return [`All is on a part of the rows, as many as the first budget had time to tokenise: ${counts.join(", ")}.`];
}
