import type { JournalView } from "../journal/journal.ts";
import type { ModelLosses, RecordPayloads, RowCounts, TaskScores, TextScores } from "../journal/records.ts";
import { recordedOptimizer } from "../search/optimizers.ts";

/** Values of the CSV, by column. */
export type EvaluationRow = Readonly<Record<string, string | number>>;

/**
 * Every scored model: where in the run, its losses and on how many rows of each task, and for candidates their genes in
 * units of the parameter.
 */
export function evaluationRows(view: JournalView): readonly EvaluationRow[] {
  let plan: RecordPayloads["plan"] | undefined;
  let asked: RecordPayloads["ask"] | undefined;
  return view.records.flatMap((record): readonly EvaluationRow[] => {
    switch (record.type) {
      case "baselines":
        return record.models.map((model) => modelRow("baselines", model, model.rows));
      case "finalists":
        return record.models.map((model) => modelRow("finalists", model, record.rows ?? {}));
      case "verdict":
        return record.models.map((model) => modelRow("guard", model, record.rows));
      case "texts":
        return record.models.map(({ name, scores }) => ({
          phase: "texts",
          model: name,
          ...textColumns(scores),
          ...rowColumns(record.rows),
        }));
      case "plan":
        plan = record;
        return [];
      case "ask":
        asked = record;
        return [];
      case "result":
        return asked && plan
          ? generationRows(record, asked, plan, {
              points: view.readPoints(asked.points),
              rowLosses: view.readNumbers(record.rowLosses),
            })
          : [];
      case "start":
      case "parents":
      case "budget":
      case "moved":
      case "part":
      case "gradient":
      case "forecast":
      case "rung":
        return [];
      default:
        return record satisfies never;
    }
  });
}

/** The candidates of a generation, and what is beside them; one of all is the reference, which shows where the search is. */
function generationRows(
  { generation, losses, reference, work }: RecordPayloads["result"],
  { rows }: RecordPayloads["ask"],
  plan: RecordPayloads["plan"],
  { points, rowLosses }: { readonly points: Float64Array; readonly rowLosses: Float64Array },
): readonly EvaluationRow[] {
  const own = (numbers: Float64Array, i: number): Float64Array => {
    const length = numbers.length / losses.length;
    return numbers.subarray(i * length, (i + 1) * length);
  };
  const beside = recordedOptimizer(plan.algorithm)?.beside;
  return losses.map((loss, i) => ({
    phase: "search",
    model: i === reference && beside ? beside : `candidate ${i}`,
    loss,
    ...lossColumns(own(rowLosses, i), rows),
    ...rowColumns(rows),
    generation,
    reference: i === reference ? 1 : 0,
    work: work / losses.length,
    ...geneColumns(own(points, i), plan),
  }));
}

/** Mean loss by task of rows that lie task by task; none where they are not as many as were asked for. */
function lossColumns(rowLosses: Float64Array, rows: RowCounts): EvaluationRow {
  const counts = Object.entries(rows);
  if (counts.reduce((sum, [, count]) => sum + count, 0) !== rowLosses.length) return {};
  let end = 0;
  return Object.fromEntries(
    counts.map(([task, count]) => {
      const own = rowLosses.subarray(end, (end += count));
      return [`${task}_loss`, own.reduce((sum, loss) => sum + loss, 0) / count];
    }),
  );
}

/** In units of the parameters. */
function geneColumns(point: Float64Array, { genes, ranges }: RecordPayloads["plan"]): EvaluationRow {
  return Object.fromEntries(
    genes.map((gene, g) => {
      const [low, high] = ranges[g] ?? [0, 1];
      return [gene, low + (point[g] ?? Number.NaN) * (high - low)];
    }),
  );
}

function modelRow(phase: string, { name, loss, scores }: ModelLosses, rows: RowCounts): EvaluationRow {
  return { phase, model: name, loss, ...taskColumns(scores), ...rowColumns(rows) };
}

function textColumns(scores: Readonly<Record<string, TextScores>>): EvaluationRow {
  const entries = Object.entries(scores).flatMap(([task, own]) =>
    Object.entries(own).map(([name, value]) => [`${task}_${name}`, value] as const),
  );
  return Object.fromEntries(entries);
}

function rowColumns(rows: RowCounts): EvaluationRow {
  return Object.fromEntries(Object.entries(rows).map(([task, count]) => [`${task}_rows`, count]));
}

function taskColumns(scores: TaskScores): EvaluationRow {
  const entries = Object.entries(scores).flatMap(([task, { loss, accuracy }]): [string, number][] => [
    [`${task}_loss`, loss],
    ...(accuracy === undefined ? [] : [[`${task}_accuracy`, accuracy] satisfies [string, number]]),
  ]);
  return Object.fromEntries(entries);
}
