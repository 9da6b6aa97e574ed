import { join } from "node:path";
import { stringify } from "csv-stringify/sync";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { printableLine } from "../files/printable.ts";
import { readJournal } from "../journal/journal.ts";
import type { JournalRecord } from "../journal/records.ts";
import { benchmarkRows } from "./benchmark-table.ts";
import { readBenchmarks } from "./benchmarks.ts";
import { evaluationRows } from "./evaluation-rows.ts";
import { installedCommand } from "./next-steps.ts";
import { runReport } from "./run-report.ts";

/** Columns of a generation, which a table without any has too. */
const GENERATION = [
  "generation",
  "best_loss",
  "median_loss",
  "reference_loss",
  "failed",
  "work",
  "spent",
  "elapsed_s",
] as const;

/**
 * Writes report.md, evaluations.csv and generations.csv into a run's folder, made anew from its journal, and
 * benchmarks.csv where models of the run have been evaluated. `commandFor` words the commands that the report tells.
 */
export async function writeTables(folder: string, commandFor = installedCommand): Promise<void> {
  const view = readJournal(folder);
  const { records } = view;
  const benchmarks = await readBenchmarks(folder);
  for (const [file, rows, first] of [
    ["evaluations.csv", evaluationRows(view), ["phase", "model", "loss"]],
    ["generations.csv", generationRows(records), GENERATION],
    ...(benchmarks.length > 0 ? [["benchmarks.csv", benchmarkRows(benchmarks), []] as const] : []),
  ] as const) {
    const columns = [...new Set([...first, ...rows.flatMap((row) => Object.keys(row))])];
    await writeFileAtomic(
      join(folder, file),
      stringify([...rows], { header: true, columns, cast: { string: printableLine } }),
    );
  }
  await writeFileAtomic(join(folder, "report.md"), runReport(folder, records, benchmarks, commandFor));
}

function generationRows(
  records: readonly JournalRecord[],
): readonly Readonly<Record<(typeof GENERATION)[number], number>>[] {
  return records.flatMap((record) => {
    if (record.type !== "result") return [];
    const { losses, reference, gradients } = record;
    // What walks has nothing beside the candidates: one of them is the reference.
    const candidates = gradients ? losses : losses.toSpliced(reference, 1);
    const finite = candidates.filter(Number.isFinite).toSorted((a, b) => a - b);
    return [
      {
        generation: record.generation,
        best_loss: finite[0] ?? Number.NaN,
        median_loss: finite[Math.floor(finite.length / 2)] ?? Number.NaN,
        reference_loss: losses[reference] ?? Number.NaN,
        failed: candidates.length - finite.length,
        work: record.work,
        spent: record.spent,
        elapsed_s: record.elapsedMs / 1000,
      },
    ];
  });
}
