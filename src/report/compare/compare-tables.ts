import { gainCells } from "../verdict-table.ts";
import type { Table } from "../table.ts";
import { gainInWords } from "../runs/runs-text.ts";
import type { ComparedRun, RunsComparison } from "./compare-runs.ts";

/** A row for each run: how it stands, and its winner on its own guard rows. */
export function runsTable({ runs }: Pick<RunsComparison, "runs">): Table {
  const tasks = [...new Set(runs.flatMap(({ guard }) => Object.keys(guard?.scores ?? {})))];
  return {
    header: ["run", "state", "scored", "best", "guard rows", ...tasks],
    rows: runs.map(({ name, status, guard }) => [
      name,
      status.state,
      String(status.evaluations),
      status.best?.loss?.toFixed(3) ?? "",
      guard?.loss.toFixed(3) ?? "",
      ...tasks.map((task) => taskCell(guard, task)),
    ]),
  };
}

/** A row for each winner that was compared with the first run's. */
export function winnersTable({ gains }: Pick<RunsComparison, "gains">): Table {
  const tasks = [...new Set(gains.flatMap((gain) => Object.keys(gain.tasks)))];
  return {
    header: ["run", "gain", "p (Holm)", "its winner is", ...(tasks.length > 1 ? tasks : []), "rows"],
    rows: gains.map(({ name, combined, tasks: own, rows }) => {
      const [gain = "", pValue = ""] = gainCells(combined);
      const each = tasks.map((task) => (own[task] ? signed(own[task].gain) : ""));
      const count = Object.values(rows).reduce((sum, one) => sum + one, 0);
      return [
        name,
        gain,
        pValue,
        gainInWords({ over: "", ...combined }),
        ...(tasks.length > 1 ? each : []),
        String(count),
      ];
    }),
  };
}

function taskCell(guard: ComparedRun["guard"], task: string): string {
  const score = guard?.scores[task];
  if (!score) return "";
  const [low, high] = guard?.intervals[task] ?? [Number.NaN, Number.NaN];
  return `${score.loss.toFixed(3)} [${inDecimals(low)}, ${inDecimals(high)}]`;
}

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;
}

function inDecimals(value: number): string {
  return Math.abs(value) === Infinity ? `${value < 0 ? "-" : ""}∞` : value.toFixed(3);
}
