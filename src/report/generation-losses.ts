import type { JournalView } from "../journal/journal.ts";
import type { RecordPayloads, RowCounts } from "../journal/records.ts";

/** A generation as it was asked for and scored. */
export interface RecordedGeneration {
  readonly plan: RecordPayloads["plan"];
  readonly ask: RecordPayloads["ask"];
  readonly result: RecordPayloads["result"];
}

/** All generations of a run that were scored, in their order. */
export function generationsIn({ records }: Pick<JournalView, "records">): readonly RecordedGeneration[] {
  let plan: RecordPayloads["plan"] | undefined;
  let ask: RecordPayloads["ask"] | undefined;
  return records.flatMap((record) => {
    if (record.type === "plan") plan = record;
    if (record.type === "ask") ask = record;
    return record.type === "result" && plan && ask ? [{ plan, ask, result: record }] : [];
  });
}

/** What is one candidate's of the numbers of a generation, which lie one candidate after another. */
export function ofCandidate(numbers: Float64Array, candidate: number, candidates: number): Float64Array {
  const length = numbers.length / candidates;
  return numbers.subarray(candidate * length, (candidate + 1) * length);
}

/** Mean loss by task of rows that lie task by task; none where they are not as many as were asked for. */
export function meanLosses(rowLosses: Float64Array, rows: RowCounts): Readonly<Record<string, number>> {
  const counts = Object.entries(rows);
  if (counts.reduce((sum, [, count]) => sum + count, 0) !== rowLosses.length) return {};
  let end = 0;
  return Object.fromEntries(
    counts.map(([task, count]) => {
      const own = rowLosses.subarray(end, (end += count));
      return [task, own.reduce((sum, loss) => sum + loss, 0) / count];
    }),
  );
}
