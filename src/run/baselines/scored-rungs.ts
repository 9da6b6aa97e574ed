import type { RecordedRung, RowCounts, ScoredModel, TaskScore, TaskScores } from "../../journal/records.ts";
import type { Baseline } from "./baselines.ts";
import { combinedScores, type ObjectiveTask } from "../session/objective.ts";
import type { Recorder } from "../session/recorder.ts";
import { covers, sameCounts, type RowOrder } from "../session/row-order.ts";

/** A baseline and what it scores on the search rows that it met. */
export interface ScoredBaseline extends Baseline {
  readonly scores: TaskScores;
  /** Combined; 1 is the uniform average on the same rows. */
  readonly loss: number;
  readonly rows: RowCounts;
}

/** Losses by task and the row's id. */
export type RungLosses = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** What baselines scored on rung after rung of the search rows; each of them meets the rows in their order, without a gap. */
export class ScoredRungs {
  readonly #listed: readonly Baseline[];
  readonly #weights: readonly Pick<ObjectiveTask, "name" | "weight">[];
  readonly #climbed: RecordedRung[] = [];
  #fallback: RecordedRung | undefined;

  /** `weights` are those of the tasks. */
  constructor(listed: readonly Baseline[], weights: readonly Pick<ObjectiveTask, "name" | "weight">[]) {
    this.#listed = listed;
    this.#weights = weights;
  }

  /** The rows that the uniform average has met, which no other goes beyond; none before the first rung. */
  get rows(): RowCounts {
    return this.#rungsOf(this.#average).at(-1)?.to ?? {};
  }

  /** Where the rungs end that the uniform average has climbed; all others end at one of them, since it is their unit. */
  get ends(): readonly RowCounts[] {
    return this.#climbed.filter(({ models }) => models.some(({ name }) => name === this.#average)).map(({ to }) => to);
  }

  /** Rungs that were climbed. */
  get length(): number {
    return this.#climbed.length;
  }

  add(rung: RecordedRung): void {
    this.#climbed.push(rung);
  }

  /** What there is without a rung: the few rows that the forecast was made from. */
  fallBackOn(forecast: RecordedRung): void {
    this.#fallback = forecast;
  }

  hasClimbed(name: string): boolean {
    return Object.keys(this.climbedBy(name)).length > 0;
  }

  /** The rows that a baseline has met on rungs that were climbed. */
  climbedBy(name: string): RowCounts {
    return this.#climbed.findLast(({ models }) => models.some((model) => model.name === name))?.to ?? {};
  }

  /** Every baseline that met a rung, in the order of the list, on all rows that it met, or on those up to `end`. */
  scored(end?: RowCounts): ScoredBaseline[] {
    const unitRungs = this.#rungsOf(this.#average);
    return this.#listed.flatMap((baseline) => {
      const rungs = this.#rungsOf(baseline.name).filter(({ to }) => !end || covers(end, to));
      const rows = rungs.at(-1)?.to;
      if (!rows) return [];
      const scores = joined(rungs, baseline.name);
      const met = unitRungs.filter(({ to }) => covers(rows, to));
      return [{ ...baseline, scores, loss: this.#combined(scores, joined(met, this.#average)), rows }];
    });
  }

  /** The tasks with the uniform average's mean loss as their unit. */
  objective(): ObjectiveTask[] {
    const average = this.scored().find(({ kind }) => kind === "average");
    return this.#weights.map(({ name, weight }) => ({
      name,
      weight,
      scale: average?.scores[name]?.loss ?? Number.NaN,
    }));
  }

  /** The loss of one baseline on each row that it met, by task and the row's id. */
  lossesOf(name: string, order: RowOrder, recorder: Pick<Recorder, "readNumbers">): RungLosses {
    return lossesOnRungs(this.#rungsOf(name), name, order, recorder);
  }

  get #average(): string {
    return this.#listed.find(({ kind }) => kind === "average")?.name ?? "";
  }

  #rungsOf(name: string): RecordedRung[] {
    const rungs = this.#climbed.length === 0 && this.#fallback ? [this.#fallback] : this.#climbed;
    return rungs.filter(({ models }) => models.some((model) => model.name === name));
  }

  #combined(scores: TaskScores, unit: TaskScores): number {
    const tasks = this.#weights.map((task) => ({ ...task, scale: unit[task.name]?.loss ?? Number.NaN }));
    return combinedScores(scores, tasks);
  }
}

/** The loss of one baseline on each row of some rungs, by task and the row's id. */
export function lossesOnRungs(
  rungs: readonly RecordedRung[],
  name: string,
  order: RowOrder,
  view: Pick<Recorder, "readNumbers">,
): RungLosses {
  const losses = new Map<string, Map<string, number>>();
  for (const { models, from, to, rowLosses } of rungs) {
    const place = models.findIndex((model) => model.name === name);
    if (place === -1) continue;
    const all = view.readNumbers(rowLosses);
    let next = (place * all.length) / models.length;
    for (const [task, rows] of Object.entries(order.rows("search", to, from))) {
      const own = losses.get(task) ?? new Map<string, number>();
      for (const { id } of rows) own.set(id, all[next++] ?? Number.NaN);
      losses.set(task, own);
    }
  }
  return losses;
}

/** The baselines that met all rows which any has met. */
export function longest<T extends { readonly rows: RowCounts }>(baselines: readonly T[]): T[] {
  const most = (task: string): number => Math.max(...baselines.map(({ rows }) => rows[task] ?? 0));
  return baselines.filter(({ rows }) =>
    sameCounts(Object.fromEntries(Object.keys(rows).map((task) => [task, most(task)])), rows),
  );
}

/** Means over all rows of some rungs. */
function joined(rungs: readonly RecordedRung[], name: string): TaskScores {
  const parts = new Map<string, RungMean[]>();
  for (const { models, from, to } of rungs) {
    const own: Pick<ScoredModel, "scores"> | undefined = models.find((model) => model.name === name);
    for (const [task, score] of Object.entries(own?.scores ?? {})) {
      const rows = (to[task] ?? 0) - (from[task] ?? 0);
      parts.set(task, [...(parts.get(task) ?? []), { rows, score }]);
    }
  }
  return Object.fromEntries(Array.from(parts, ([task, own]) => [task, meanOf(own)]));
}

/** What some rows of a task have as their mean. */
interface RungMean {
  readonly rows: number;
  readonly score: TaskScore;
}

/** Has what all parts have. */
function meanOf(parts: readonly RungMean[]): TaskScore {
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const mean = (of: (score: TaskScore) => number | undefined): number =>
    parts.reduce((sum, { rows: own, score }) => sum + own * (of(score) ?? Number.NaN), 0) / rows;
  const [first] = parts;
  const metrics = Object.keys(first?.score.metrics ?? {}).map((name): [string, number] => [
    name,
    mean((score) => score.metrics?.[name]),
  ]);
  return {
    loss: mean(({ loss }) => loss),
    ...(parts.every(({ score }) => score.accuracy !== undefined) && { accuracy: mean(({ accuracy }) => accuracy) }),
    ...(metrics.length > 0 && { metrics: Object.fromEntries(metrics) }),
  };
}
