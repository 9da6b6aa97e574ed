import { gainCells } from "../verdict-table.ts";
import type { Table } from "../table.ts";
import { gainInWords } from "../runs/runs-text.ts";
import { taskColumns } from "../task-columns.ts";
import { signedInDecimals } from "../text/decimals.ts";
import type { RunsComparison } from "./compare-runs.ts";

/** A row for each run: how it stands, and its winner on its own guard rows. */
export function runsTable({ runs }: Pick<RunsComparison, "runs">): Table {
  const winners = runs.flatMap(({ guard }) => guard ?? []);
  const columns = taskColumns(winners, [...new Set(winners.flatMap(({ scores }) => Object.keys(scores)))]);
  return {
    header: ["run", "state", "scored", "best", "guard rows", ...columns.header],
    rows: runs.map(({ name, status, guard }) => [
      name,
      status.state,
      String(status.evaluations),
      status.best?.loss?.toFixed(3) ?? "",
      guard?.loss.toFixed(3) ?? "",
      ...columns.cellsOf(guard),
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
      const each = tasks.map((task) => (own[task] ? signedInDecimals(own[task].gain, 3) : ""));
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
