import { isDeepStrictEqual } from "node:util";
import { showUntrusted } from "../files/show-untrusted.ts";
import { dimensionOf, KEPT_OF_PLAN, type KeptPlan, type KnownSizes } from "./known-sizes.ts";
import type { JournalRecord, NumbersRef, RecordedRung, RecordPayloads, RowCounts, ScoredModel } from "./records.ts";

/** Says which list of a record has not the length, or the names, that records before it ask for. */
export function faultOfSizes(
  record: JournalRecord,
  { tasks, ends, plan, dimension, generations, asked, partsLeft, front }: KnownSizes,
): string | undefined {
  switch (record.type) {
    case "start":
    case "parents":
    case "budget":
    case "moved":
    case "part":
      return undefined;
    case "gradient":
      return partsLeft > 0
        ? faultOfCount("gradients", record.gradients, asked * dimension)
        : "expected no more parts than the generation has";
    case "forecast":
      return faultOfRung(record, new Map());
    case "rung":
      return faultOfRung(record, ends);
    case "baselines":
      return faultOfBaselines(record);
    case "plan":
      return (
        faultOfCount("start", record.start, dimensionOf(record)) ??
        (record.inject && faultOfPoints("inject", record.inject, 1, dimensionOf(record))) ??
        faultOfLength("ranges", record.ranges, record.genes.length) ??
        (plan && faultOfReplanning(record, plan))
      );
    case "ask":
      return (
        faultOfGeneration(record.generation, generations) ??
        faultOfPoints("points", record.points, plan?.candidates ?? 0, dimension) ??
        faultOfNames("rows", Object.keys(record.rows), tasks) ??
        faultOfParts(record)
      );
    case "result":
      return (
        faultOfGeneration(record.generation, generations) ??
        faultOfLength("losses", record.losses, asked) ??
        faultOfReference(record) ??
        (record.gradients && faultOfCount("gradients", record.gradients, asked * dimension))
      );
    case "finalists":
      // A winner that was not checked has no scores.
      return (
        faultOfTasks([...record.models, ...withScores([record.winner]), ...(record.front ?? [])], tasks) ??
        (record.rowLosses && faultOfCount("rowLosses", record.rowLosses, record.models.length * rowsIn(record.rows)))
      );
    case "verdict":
      return (
        faultOfTasks([...record.models, ...(record.picks ?? [])], tasks) ?? faultOfVerdict(record, { tasks, front })
      );
    case "texts":
      return (
        faultOfNames("rows", Object.keys(record.rows), tasks) ??
        faultOfTasks(
          record.models,
          tasks.filter((task) => (record.rows[task] ?? 0) > 0),
        )
      );
    default:
      return record satisfies never;
  }
}

function faultOfGeneration(found: number, expected: number): string | undefined {
  return found === expected ? undefined : `generation: expected ${expected}, found ${found}`;
}

/** Whole points; a generation has as many as the plan has candidates, or more where the search has begun again. */
function faultOfPoints(what: string, { count }: NumbersRef, least: number, dimension: number): string | undefined {
  if (count >= least * dimension && count % dimension === 0) return undefined;
  return `${what}: expected at least ${least} of ${dimension} numbers each, found ${count} numbers`;
}

/** The search goes on with what it began with. */
function faultOfReplanning(found: KeptPlan, expected: KeptPlan): string | undefined {
  const field = KEPT_OF_PLAN.find((name) => !isDeepStrictEqual(found[name], expected[name]));
  return field === undefined ? undefined : `${field}: expected that of the first plan, found another`;
}

/** A rung begins where the ones before ended for each of its models, and its losses are those of its models on its rows. */
function faultOfRung(
  { models, from, to, rowLosses }: RecordedRung,
  ends: ReadonlyMap<string, RowCounts>,
): string | undefined {
  const tasks = Object.keys(to);
  const rows = tasks.map((task) => (to[task] ?? 0) - (from[task] ?? 0));
  const begins = models.every(({ name }) => tasks.every((task) => (from[task] ?? 0) === (ends.get(name)?.[task] ?? 0)));
  if (!begins || rows.some((count) => count < 0))
    return "from and to: expected rows from the end of the rung before, found others";
  const expected = models.length * rows.reduce((sum, count) => sum + count, 0);
  const scored = tasks.filter((_, i) => (rows[i] ?? 0) > 0);
  return faultOfCount("rowLosses", rowLosses, expected) ?? faultOfTasks(models, scored);
}

function faultOfBaselines({ models, scales }: RecordPayloads["baselines"]): string | undefined {
  const tasks = Object.keys(scales);
  return tasks.length === 0 ? "scales: expected at least one task, found none" : faultOfTasks(models, tasks);
}

/** Each of them has a row. */
function faultOfParts({ rows, parts = 1 }: RecordPayloads["ask"]): string | undefined {
  const most = Object.values(rows).reduce((sum, count) => sum + count, 0);
  return parts <= Math.max(1, most) ? undefined : `parts: expected at most the ${most} rows, found ${parts}`;
}

function faultOfReference({ losses, reference }: RecordPayloads["result"]): string | undefined {
  return reference < losses.length ? undefined : `reference: expected less than ${losses.length}, found ${reference}`;
}

function faultOfCount(what: string, { count }: NumbersRef, expected: number): string | undefined {
  return count === expected ? undefined : `${what}: expected ${expected}, found ${count}`;
}

function rowsIn(counts: RowCounts = {}): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

function withScores(models: readonly ScoredModel[]): readonly ScoredModel[] {
  return models.filter(({ scores }) => Object.keys(scores).length > 0);
}

function faultOfVerdict(
  { models, picks = [], groups }: RecordPayloads["verdict"],
  { tasks, front }: Pick<KnownSizes, "tasks" | "front">,
): string | undefined {
  const winners = models.filter(({ kind }) => kind === "winner").length;
  if (winners !== 1) return `models: expected one winner, found ${winners}`;
  const fault = faultOfNames("groups", Object.keys(groups), tasks);
  if (fault !== undefined) return fault;
  const missed = models.find(({ kind, gains }) => (gains === undefined) !== (kind === "winner"));
  if (missed) return "gains: expected them of every model but the winner";
  const beyond = picks.find(({ place }) => place > front);
  if (beyond) return `picks: expected places up to ${front}, found ${beyond.place}`;
  return firstFault(
    [...models, ...picks],
    ({ intervals, gains }) =>
      faultOfNames("intervals", Object.keys(intervals), tasks) ??
      (gains && faultOfNames("gains", Object.keys(gains.tasks), tasks)),
  );
}

function faultOfTasks(
  models: readonly { readonly scores: Readonly<Record<string, unknown>> }[],
  tasks: readonly string[],
): string | undefined {
  return firstFault(models, ({ scores }) => faultOfNames("scores", Object.keys(scores), tasks));
}

function faultOfNames(what: string, found: readonly string[], expected: readonly string[]): string | undefined {
  const isSame = found.length === expected.length && found.every((name) => expected.includes(name));
  return isSame ? undefined : `${what}: expected the tasks ${showUntrusted(expected)}, found ${showUntrusted(found)}`;
}

function faultOfLength(what: string, { length }: { readonly length: number }, expected: number): string | undefined {
  return length === expected ? undefined : `${what}: expected a list of ${expected}, found one of ${length}`;
}

function firstFault<T>(items: readonly T[], faultOf: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const fault = faultOf(item);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
