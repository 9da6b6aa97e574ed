import { printableLine } from "../../files/printable.ts";
import type { Table } from "../table.ts";
import { columnsOf } from "../text/columns.ts";
import { alignedText } from "../text/text-table.ts";
import { wrapped } from "../text/wrapped.ts";
import type { RunsComparison } from "./compare-runs.ts";
import { runsTable, winnersTable } from "./compare-tables.ts";

/** What stands above the runs. */
export const RUNS_LEGEND =
  "Winners on the guard rows of their own runs, losses of tasks with 95 % interval. Combined losses (best: on search rows) are 1 for the uniform average of each run.";

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
    ...(differences.rows.length === 0 ? ["The experiments are the same."] : differencesText(differences, width)),
  ].join("\n");
}

/** A column a run where all fit beside each other; else each value with the runs that have it. */
function differencesText(differences: Table, width: number): string[] {
  const { header, rows } = differences;
  const beside = alignedText(differences, { width, left: [...header.keys()] }).split("\n");
  if (beside.length === rows.length + 2 && beside.every((line) => columnsOf(line) <= width)) return beside;
  const names = header.slice(1);
  return [
    "what differs:",
    ...rows.flatMap(([matter = "", ...values]) => {
      const having = (value: string): string => names.filter((_, i) => values[i] === value).join(", ");
      const parts = [...new Set(values)].map((value) => `${value} in ${having(value)}`);
      return wrapped(printableLine(`${matter}: ${parts.join("; ")}`), width, { indent: 2 });
    }),
  ];
}
