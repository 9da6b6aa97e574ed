import { printableLine } from "../../files/printable.ts";
import { alignedText } from "../text/text-table.ts";
import { wrapped } from "../text/wrapped.ts";
import type { RunsComparison } from "./compare-runs.ts";
import { runsTable, winnersTable } from "./compare-tables.ts";

/** What stands above the runs. */
export const RUNS_LEGEND =
  "Winners on the guard rows of their own runs, tasks with 95 % interval. Combined losses (best: on search rows) are 1 for the uniform average of each run.";

/** What stands above winners that were compared. */
export function winnersLegend({ runs: [first] }: RunsComparison): string {
  return `Gains over the winner of ${first?.name} on guard rows that both met (with 95 % interval), in the losses and weights of ${first?.name}; above 0 the other run is better.`;
}

/** Runs beside each other for people, in lines of so many columns. */
export function compareText(comparison: RunsComparison, width = Infinity): string {
  const { gains, notes, differences } = comparison;
  const lines = (sentence: string): string[] => wrapped(printableLine(sentence), width, { indent: 2 });
  return [
    ...lines(RUNS_LEGEND),
    alignedText(runsTable(comparison), { width, left: [0, 1] }),
    ...(gains.length === 0
      ? []
      : ["", ...lines(winnersLegend(comparison)), alignedText(winnersTable(comparison), { width })]),
    ...(notes.length === 0 ? [] : ["", ...notes.flatMap(lines)]),
    "",
    ...(differences.rows.length === 0
      ? ["The experiments are the same."]
      : [alignedText(differences, { width, left: [...differences.header.keys()] })]),
  ].join("\n");
}
