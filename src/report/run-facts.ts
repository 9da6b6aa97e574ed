import { UserError } from "../errors.ts";
import { type Budget, type Experiment, precisions } from "../experiment/experiment.ts";
import { describePrecision } from "../experiment/precision.ts";
import { recordedExperiment } from "../experiment/recorded-experiment.ts";
import { elapsedMsOf } from "../journal/elapsed.ts";
import type { JournalRecord, RowCounts, StartRecord } from "../journal/records.ts";
import { duration } from "./duration.ts";

/** How a run was carried out, one line a matter: its engine, its time, its rows, and what to repeat it with. */
export function runFacts(records: readonly JournalRecord[]): string[] {
  const [start] = records;
  if (start?.type !== "start") return [];
  const experiment = experimentIn(start);
  const { engine, evomerge, node } = start.versions;
  const versions = [...(evomerge ? [`evomerge ${evomerge}`] : []), ...(node ? [`Node ${node}`] : [])].join(" and ");
  const origin = [
    ...(experiment ? [`seed ${experiment.seed}`] : []),
    ...(start.began ? [`begun on ${start.began.slice(0, 16).replace("T", " at ")} UTC`] : []),
    ...(versions === "" ? [] : [`with ${versions}`]),
  ];
  return [
    ...(engine ? [`engine: ${engine}${precisionText(start)}`] : []),
    `time: ${timeText(elapsedMsOf(records), budgetOf(records))}`,
    `rows that one model met: ${rowsText(records)}`,
    ...(origin.length > 0 ? [origin.join(", ")] : []),
  ];
}

/** The budget that a run was last given; undefined where its experiment cannot be read. */
export function budgetOf(records: readonly JournalRecord[]): Budget | undefined {
  const [start] = records;
  const last = records.findLast((record) => record.type === "budget");
  return last?.budget ?? (start?.type === "start" ? experimentIn(start)?.budget : undefined);
}

/** A report tells what it can of a journal whose experiment is none. */
function experimentIn({ folder, experiment }: StartRecord): Experiment | undefined {
  try {
    return recordedExperiment(folder, experiment);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function precisionText({ identity }: StartRecord): string {
  const precision = precisions.find((name) => name === identity["precision"]);
  return precision === undefined || precision === "auto" ? "" : `, products in ${describePrecision(precision)}`;
}

function timeText(elapsedMs: number, budget: Budget | undefined): string {
  const used = `${duration(elapsedMs)} up to the last step`;
  if (budget === undefined) return used;
  return "seconds" in budget
    ? `${used}, of a budget of ${duration(1000 * budget.seconds)}`
    : `${used}, of a budget of ${budget.evaluations} evaluations`;
}

/** The most rows that a model was scored on at once, which are fewer than there are where time was short. */
function rowsText(records: readonly JournalRecord[]): string {
  const search = mostOf(records.flatMap(searchRows));
  const guard = mostOf(records.flatMap((record) => (record.type === "verdict" ? [record.rows] : [])));
  const tasks = Object.keys(search);
  if (tasks.length === 0) return "none yet";
  return tasks.map((task) => `${task} ${search[task]} in the search, ${guard[task] ?? 0} on guard`).join("; ");
}

function searchRows(record: JournalRecord): readonly RowCounts[] {
  if (record.type === "baselines") return record.models.map(({ rows }) => rows);
  if (record.type === "ask") return [record.rows];
  return record.type === "finalists" && record.rows ? [record.rows] : [];
}

function mostOf(counts: readonly RowCounts[]): RowCounts {
  const tasks = new Set(counts.flatMap((rows) => Object.keys(rows)));
  return Object.fromEntries(Array.from(tasks, (task) => [task, Math.max(...counts.map((rows) => rows[task] ?? 0))]));
}
