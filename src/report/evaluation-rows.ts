import type { JournalView } from "../journal/journal.ts";
import type { ModelLosses, RecordPayloads, RowCounts, TaskScores, TextScores } from "../journal/records.ts";
import { recordedOptimizer } from "../search/optimizers.ts";
import { generationsIn, meanLosses, ofCandidate, type RecordedGeneration } from "./generation-losses.ts";
import { measuresOf } from "./task-columns.ts";

/** Values of the CSV, by column. */
export type EvaluationRow = Readonly<Record<string, string | number>>;

/**
 * Every scored model: where in the run, its losses and on how many rows of each task, and for candidates their genes in
 * units of the parameter.
 */
export function evaluationRows(view: JournalView): readonly EvaluationRow[] {
  const generations = generationsIn(view).values();
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
      case "result":
        return candidateRows(generations.next().value, view);
      case "start":
      case "parents":
      case "budget":
      case "moved":
      case "part":
      case "gradient":
      case "forecast":
      case "rung":
      case "plan":
      case "ask":
        return [];
      default:
        return record satisfies never;
    }
  });
}

/** The candidates of a generation, and what is beside them; one of all is the reference, which shows where the search is. */
function candidateRows(scored: RecordedGeneration | undefined, view: JournalView): EvaluationRow[] {
  if (!scored) return [];
  const { plan, ask, result } = scored;
  const { generation, losses, reference, work } = result;
  const points = view.readPoints(ask.points);
  const rowLosses = view.readNumbers(result.rowLosses);
  const beside = recordedOptimizer(plan.algorithm)?.beside;
  return losses.map((loss, i) => ({
    phase: "search",
    model: i === reference && beside ? beside : `candidate ${i}`,
    loss,
    ...lossColumns(meanLosses(ofCandidate(rowLosses, i, losses.length), ask.rows)),
    ...rowColumns(ask.rows),
    generation,
    reference: i === reference ? 1 : 0,
    work: work / losses.length,
    ...geneColumns(ofCandidate(points, i, losses.length), plan),
  }));
}

function lossColumns(losses: Readonly<Record<string, number>>): EvaluationRow {
  return Object.fromEntries(Object.entries(losses).map(([task, loss]) => [`${task}_loss`, loss]));
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
  const entries = Object.entries(scores).flatMap(([task, score]): [string, number][] => [
    [`${task}_loss`, score.loss],
    ...Array.from(measuresOf(score), ([name, value]): [string, number] => [`${task}_${name}`, value]),
  ]);
  return Object.fromEntries(entries);
}
