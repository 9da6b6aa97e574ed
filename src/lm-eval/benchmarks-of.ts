import { setImmediate } from "node:timers/promises";
import { pairedTest } from "../statistics/paired-test.ts";
import type { Benchmark, BenchmarkedModel, MetricValue } from "../report/benchmarks.ts";
import type { LmEvalResults } from "./read-results.ts";
import type { StoredEvaluation } from "./stored-evaluation.ts";

/** Of the random draws behind intervals and p-values, so that equal evaluations give equal reports. */
const SEED = 1;
/** Largest difference between a mean over documents and the value that lm_eval reports, for rounding. */
const ROUNDING = 1e-9;

/**
 * Puts evaluations side by side, in one benchmark all that were asked the same of the same lm_eval: of each model the
 * last, in the order of `names`, with the winner's gain over it.
 */
export async function benchmarksOf(
  evaluations: readonly StoredEvaluation[],
  names: readonly string[],
): Promise<readonly Benchmark[]> {
  const bySettings = new Map<string, Map<string, StoredEvaluation>>();
  for (const evaluation of evaluations.filter(({ model }) => names.includes(model))) {
    const settings = JSON.stringify([evaluation.arguments, evaluation.lmEvalVersion]);
    const byModel = bySettings.get(settings) ?? new Map<string, StoredEvaluation>();
    bySettings.set(settings, byModel.set(evaluation.model, evaluation));
  }
  const benchmarks: Benchmark[] = [];
  for (const byModel of bySettings.values()) {
    benchmarks.push(await benchmarkOf(names.flatMap((name) => byModel.get(name) ?? [])));
  }
  return benchmarks;
}

async function benchmarkOf(evaluations: readonly StoredEvaluation[]): Promise<Benchmark> {
  const [first] = evaluations;
  if (!first) throw new Error("benchmark: nothing was evaluated");
  const winner = evaluations.find(({ kind }) => kind === "winner");
  const models: BenchmarkedModel[] = [];
  for (const evaluation of evaluations) {
    // Thousands of random draws over thousands of documents: others get their turn in between.
    await setImmediate();
    const { model, kind, source, seconds } = evaluation;
    const gains = winner && winner !== evaluation ? gainsOver(evaluation, winner) : undefined;
    models.push({ name: model, kind, source, seconds, scores: scoresOf(evaluation), ...(gains ? { gains } : {}) });
  }
  const { task, arguments: asked, lmEvalVersion } = first;
  return { task, arguments: asked, lmEvalVersion, ...(winner ? { recipe: winner.recipe } : {}), models };
}

function scoresOf({ results, rows }: StoredEvaluation): BenchmarkedModel["scores"] {
  const parts = partsOf(results);
  const entries = Object.entries(results.results).map(([task, values]) => {
    const documents = results["n-samples"][task]?.effective ?? documentsOf(leavesOf(task, results), rows);
    const known = documents === undefined ? {} : { documents };
    return [task, { ...known, isPart: parts.has(task), metrics: metricsOf(values) }];
  });
  return Object.fromEntries(entries) as BenchmarkedModel["scores"];
}

/** Tasks and groups that are in a group. */
function partsOf({ group_subtasks: groups }: LmEvalResults): ReadonlySet<string> {
  return new Set(Object.values(groups).flat());
}

/** The tasks without subtasks that a task or group consists of. */
function leavesOf(task: string, { group_subtasks: groups }: LmEvalResults): readonly string[] {
  const found = new Set([task]);
  // A set can grow while it is gone through.
  for (const name of found) for (const part of groups[name] ?? []) found.add(part);
  return [...found].filter((name) => (groups[name] ?? []).length === 0);
}

function documentsOf(leaves: readonly string[], rows: StoredEvaluation["rows"]): number | undefined {
  const counts = leaves.map((leaf) => rows[leaf]?.acc.length);
  return counts.reduce((total, count) => (total === undefined || count === undefined ? undefined : total + count), 0);
}

/** lm_eval's keys are `metric,filter` and `metric_stderr,filter`; a filter that is not "none" stays in the name. */
function metricsOf(values: Readonly<Record<string, unknown>>): Record<string, MetricValue> {
  const metrics: Record<string, MetricValue> = {};
  for (const [key, value] of Object.entries(values)) {
    const { metric, filter } = /^(?<metric>[^,]+),(?<filter>.+)$/.exec(key)?.groups ?? {};
    if (typeof value !== "number" || metric === undefined || metric.endsWith("_stderr")) continue;
    const stderr = values[`${metric}_stderr,${filter}`];
    metrics[filter === "none" ? metric : key] = typeof stderr === "number" ? { value, stderr } : { value };
  }
  return metrics;
}

/** On every task or group that is not part of another, and that both models answered on the same documents. */
function gainsOver(parent: StoredEvaluation, winner: StoredEvaluation): BenchmarkedModel["gains"] {
  const parts = partsOf(winner.results);
  const entries = Object.keys(winner.results.results).flatMap((task) => {
    const gain = parts.has(task) ? undefined : gainOn(task, parent, winner);
    return gain ? [[task, gain]] : [];
  });
  return Object.fromEntries(entries) as BenchmarkedModel["gains"];
}

/** The difference of two values of acc, with the statistics that pairing by document allows. */
function gainOn(
  task: string,
  parent: StoredEvaluation,
  winner: StoredEvaluation,
): NonNullable<BenchmarkedModel["gains"]>[string] | undefined {
  const tasks = leavesOf(task, winner.results).map((leaf) => ({
    parent: parent.rows[leaf],
    winner: winner.rows[leaf],
  }));
  const pairs = tasks.flatMap(({ parent, winner }) =>
    parent && winner && parent.documents === winner.documents ? [{ parent: parent.acc, winner: winner.acc }] : [],
  );
  if (pairs.length < tasks.length) return undefined;
  const reported = [parent, winner].map(({ results }) => metricsOf(results.results[task] ?? {})["acc"]?.value);
  const documents = pairs.reduce((total, { winner }) => total + winner.length, 0);
  // Groups are means over documents, as that of mmlu, or over tasks; the values tell which.
  const weightings = [pairs.map(({ winner }) => winner.length / documents), pairs.map(() => 1 / pairs.length)];
  const weights = weightings.find((weights) =>
    (["parent", "winner"] as const).every((side, i) => {
      const value = pairs.reduce((total, pair, p) => total + (weights[p] ?? 0) * mean(pair[side]), 0);
      return Math.abs(value - (reported[i] ?? Number.NaN)) < ROUNDING;
    }),
  );
  if (!weights) return undefined;
  const { gain, interval, pValue } = pairedTest(
    pairs.map(({ parent, winner }, p) => ({
      weight: weights[p] ?? 0,
      baseline: losses(parent),
      candidate: losses(winner),
      groups: winner.map((_, document) => `${p} ${document}`),
    })),
    { seed: SEED },
  );
  return { gain, interval: [...interval], pValue };
}

/** What is lost to the best possible acc, document by document. */
function losses(acc: readonly number[]): number[] {
  return acc.map((value) => 1 - value);
}

function mean(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0) / values.length;
}
