import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { printableLine } from "../files/printable.ts";
import { readJournal } from "../journal/journal.ts";
import type { JournalRecord, RecordPayloads, RowCounts, ScoredModel, TaskScores } from "../journal/records.ts";
import { benchmarkRows } from "./benchmark-table.ts";
import { readBenchmarks } from "./benchmarks.ts";
import { runReport } from "./run-report.ts";

/** Columns of a generation, which a table without any has too. */
const GENERATION = ["generation", "best_loss", "median_loss", "mean_loss", "failed", "elapsed_s"] as const;

type Row = Readonly<Record<string, string | number>>;

/**
 * Writes report.md, evaluations.csv and generations.csv into a run's folder, made anew from its journal, and
 * benchmarks.csv where models of the run have been evaluated.
 */
export async function writeTables(folder: string): Promise<void> {
  const { records } = readJournal(folder);
  const benchmarks = await readBenchmarks(folder);
  for (const [file, rows, first] of [
    ["evaluations.csv", evaluationRows(records), ["phase", "model", "loss"]],
    ["generations.csv", generationRows(records), GENERATION],
    ...(benchmarks.length > 0 ? [["benchmarks.csv", benchmarkRows(benchmarks), []] as const] : []),
  ] as const) {
    const columns = [...new Set([...first, ...rows.flatMap((row) => Object.keys(row))])];
    await writeFileAtomic(
      join(folder, file),
      stringify([...rows], { header: true, columns, cast: { string: printableLine } }),
    );
  }
  await writeFileAtomic(join(folder, "report.md"), runReport(folder, records, benchmarks));
}

/** Every scored model: where in the run, its losses, and for candidates their genes in the unit cube. */
function evaluationRows(records: readonly JournalRecord[]): readonly Row[] {
  let genes: readonly string[] = [];
  let asked: RecordPayloads["ask"] | undefined;
  return records.flatMap((record): readonly Row[] => {
    switch (record.type) {
      case "baselines":
        return record.models.map((model) => ({ ...modelRow("baselines", model), ...rowColumns(model.rows) }));
      case "finalists":
        return record.models.map((model) => ({ ...modelRow("finalists", model), ...rowColumns(record.rows ?? {}) }));
      case "verdict":
        return record.models.map((model) => ({ ...modelRow("guard", model), ...rowColumns(record.rows) }));
      case "plan":
        genes = record.genes;
        return [];
      case "ask":
        asked = record;
        return [];
      case "result":
        return [
          ...record.losses.map((loss, i) => ({
            phase: "search",
            generation: record.generation,
            model: `candidate ${i}`,
            loss,
            ...Object.fromEntries(genes.map((gene, g) => [gene, asked?.points[i]?.[g] ?? Number.NaN])),
          })),
          { phase: "search", generation: record.generation, model: "mean", loss: record.meanLoss },
        ];
      case "start":
      case "parents":
      case "budget":
      case "moved":
      case "part":
      case "forecast":
      case "rung":
        return [];
      default:
        return record satisfies never;
    }
  });
}

function generationRows(
  records: readonly JournalRecord[],
): readonly Readonly<Record<(typeof GENERATION)[number], number>>[] {
  return records.flatMap((record) => {
    if (record.type !== "result") return [];
    const finite = record.losses.filter(Number.isFinite).toSorted((a, b) => a - b);
    return [
      {
        generation: record.generation,
        best_loss: finite[0] ?? Number.NaN,
        median_loss: finite[Math.floor(finite.length / 2)] ?? Number.NaN,
        mean_loss: record.meanLoss,
        failed: record.losses.length - finite.length,
        elapsed_s: record.elapsedMs / 1000,
      },
    ];
  });
}

function modelRow(phase: string, { name, loss, scores }: ScoredModel): Row {
  return { phase, model: name, loss, ...taskColumns(scores) };
}

/** How many rows of each task a model was scored on. */
function rowColumns(rows: RowCounts): Row {
  return Object.fromEntries(Object.entries(rows).map(([task, count]) => [`${task}_rows`, count]));
}

function taskColumns(scores: TaskScores): Row {
  const entries = Object.entries(scores).flatMap(([task, { loss, accuracy }]): [string, number][] => [
    [`${task}_loss`, loss],
    ...(accuracy === undefined ? [] : [[`${task}_accuracy`, accuracy] satisfies [string, number]]),
  ]);
  return Object.fromEntries(entries);
}
