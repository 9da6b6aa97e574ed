import type { ModelLosses, RowCounts } from "../journal/records.ts";
import type { Table } from "./table.ts";

type Listed = ModelLosses & { readonly rows?: RowCounts };

/** Models with their combined loss and that on each task; on how many rows, where not all were scored on the same. */
export function lossesTable(models: readonly Listed[]): Table {
  const tasks = [...new Set(models.flatMap(({ scores }) => Object.keys(scores)))];
  const hasAccuracy = (task: string): boolean => models.some(({ scores }) => scores[task]?.accuracy !== undefined);
  const isUneven = new Set(models.map(countOf)).size > 1;
  return {
    header: [
      "model",
      "combined",
      ...tasks.flatMap((task) => [task, ...(hasAccuracy(task) ? ["right"] : [])]),
      ...(isUneven ? ["rows"] : []),
    ],
    rows: models.map((model) => [
      model.name,
      model.loss.toFixed(3),
      ...tasks.flatMap((task) => [
        model.scores[task]?.loss.toFixed(3) ?? "",
        ...(hasAccuracy(task) ? [rightCell(model, task)] : []),
      ]),
      ...(isUneven ? [String(countOf(model))] : []),
    ]),
  };
}

function rightCell({ scores }: Listed, task: string): string {
  const accuracy = scores[task]?.accuracy;
  return accuracy === undefined ? "" : `${(100 * accuracy).toFixed(0)} %`;
}

function countOf({ rows = {} }: Listed): number {
  return Object.values(rows).reduce((sum, own) => sum + own, 0);
}
