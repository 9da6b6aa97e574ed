import { printableLine } from "../../files/printable.ts";
import type { Gain, RowCounts } from "../../journal/records.ts";
import { countsText } from "../../run/session/row-order.ts";
import { alignedText } from "../text/text-table.ts";
import { wrapped } from "../text/wrapped.ts";
import type { Table } from "../table.ts";
import { verdictSentences, verdictTable } from "../verdict-table.ts";
import type { RerankedModel, Reranking, TaskWeights } from "./rerank-run.ts";

/** A ranking for people, in lines of so many columns: which model would win, all models on the search rows, and what the guard rows say. */
export function rerankText(ranking: Reranking, width = Infinity): string {
  const { models, others, guard, withoutRows } = ranking;
  const lines = (sentences: readonly string[]): string[] =>
    sentences.flatMap((sentence) => wrapped(printableLine(sentence), width, { indent: 2 }));
  return [
    ...lines(winnerSentences(ranking)),
    "",
    ...lines(["search rows (loss under these weights, and under those of the run; 1 is the uniform average)"]),
    alignedText(rankedTable(models, ranking), { width }),
    ...(others.length === 0
      ? []
      : [
          "",
          ...lines(["on other search rows, so that their losses do not compare with those above"]),
          alignedText(rankedTable(others, ranking), { width }),
        ]),
    ...(guard
      ? [
          "",
          ...lines(["guard rows, which the search never saw (with 95 % interval)"]),
          alignedText(guardTable(guard, Object.keys(ranking.weights)), { width }),
          "",
          ...lines(guardSentencesOf(ranking)),
        ]
      : ["", ...lines(["No model of the run has met the guard rows."])]),
    ...(withoutRows === undefined ? [] : lines([`There are no intervals without the rows: ${withoutRows}`])),
  ].join("\n");
}

function winnerSentences({ weights, weightsBefore, winner, winnerBefore, gain, soFar, models }: Reranking): string[] {
  const such = `Under the weights ${weightsText(weights)} (in the run ${weightsText(weightsBefore)})`;
  const lossOf = (name: string): string => models.find((model) => model.name === name)?.loss.toFixed(3) ?? "unknown";
  return [
    winnerBefore === undefined
      ? `${such} the best so far is ${winner}.`
      : winner === winnerBefore
        ? `${such} the winner is the same: ${winner}.`
        : `${such} the winner is another: ${winner}, with a loss of ${lossOf(winner)} where ${winnerBefore} has ${lossOf(winnerBefore)}.`,
    ...(gain
      ? [
          `On the search rows, which it is chosen by, it gains ${gainText(gain)} on ${winnerBefore} (95 % interval, p ${gain.pValue.toFixed(4)}).`,
        ]
      : []),
    ...(soFar
      ? [
          `The search has come to ${soFar.name}, which gains ${gainText(soFar.gain)} on ${winner} on the rows that both met (${countsText(soFar.rows)}).`,
        ]
      : []),
  ];
}

function guardSentencesOf({ winner, guard }: Reranking): string[] {
  if (!guard) return [];
  if (!guard.hasMetWinner) return [`${winner} has not met the guard rows, so that nothing is known of it there.`];
  return verdictSentences(guard, guard.looks);
}

/** Without the columns of gains where nobody has any. */
function guardTable({ models, looks }: NonNullable<Reranking["guard"]>, tasks: readonly string[]): Table {
  const { header, rows } = verdictTable(models, tasks, looks);
  const kept = header.flatMap((_, column) => (rows.some((row) => row[column] !== "") ? [column] : []));
  const cells = (row: readonly string[]): string[] => kept.map((column) => row[column] ?? "");
  return { header: cells(header), rows: rows.map(cells) };
}

function rankedTable(models: readonly RerankedModel[], { weights, winnerBefore }: Reranking): Table {
  const tasks = Object.keys(weights);
  const isUneven = new Set(models.map(({ rows }) => countOf(rows))).size > 1;
  return {
    header: ["model", "loss", "before", ...tasks, ...(isUneven ? ["rows"] : [])],
    rows: models.map(({ name, loss, lossBefore, scores, rows }) => [
      name === winnerBefore ? `${name} (won)` : name,
      loss.toFixed(3),
      lossBefore.toFixed(3),
      ...tasks.map((task) => scores[task]?.loss.toFixed(3) ?? ""),
      ...(isUneven ? [String(countOf(rows))] : []),
    ]),
  };
}

function weightsText(weights: TaskWeights): string {
  return Object.entries(weights)
    .map(([task, weight]) => `${task}=${weight}`)
    .join(",");
}

function gainText({ gain, interval }: Gain): string {
  const [low, high] = interval.map((value) => value.toFixed(3));
  return `${gain.toFixed(3)} [${low}, ${high}]`;
}

function countOf(rows: RowCounts): number {
  return Object.values(rows).reduce((sum, count) => sum + count, 0);
}
