import type { GuardedModel, TaskScore } from "../journal/records.ts";
import { inDecimals } from "./text/decimals.ts";

/** A model on the guard rows of each task. */
export type OnTasks = Pick<GuardedModel, "scores" | "intervals">;

/** Columns of a table whose rows are models. */
export interface TaskColumns {
  readonly header: readonly string[];
  /** Empty ones where a model has not met these rows. */
  readonly cellsOf: (model: OnTasks | undefined) => readonly string[];
}

/** For each task its mean loss with the 95 % interval, and whatever else is measured of it by a model. */
export function taskColumns(models: readonly OnTasks[], tasks: readonly string[]): TaskColumns {
  const columns = tasks.flatMap((task) => [
    { name: `${task} loss`, cellOf: (model: OnTasks) => lossCell(model, task) },
    ...measuresIn(models, task).map((measure) => ({
      name: `${task} ${measure}`,
      cellOf: ({ scores }: OnTasks) => measureCell(scores[task], measure),
    })),
  ]);
  return {
    header: columns.map(({ name }) => name),
    cellsOf: (model) => columns.map(({ cellOf }) => (model ? cellOf(model) : "")),
  };
}

/** Mean loss of a model on a task, with its interval. */
export function lossCell({ scores, intervals }: OnTasks, task: string): string {
  const loss = scores[task]?.loss;
  if (loss === undefined) return "";
  const [low, high] = intervals[task] ?? [Number.NaN, Number.NaN];
  return `${inDecimals(loss, 3)} [${inDecimals(low, 3)}, ${inDecimals(high, 3)}]`;
}

/** What is measured of a task beside its loss, by name: accuracy, where it has one, and what a plugin's task adds. */
export function measuresOf({ accuracy, metrics = {} }: TaskScore): ReadonlyMap<string, number> {
  return new Map([...(accuracy === undefined ? [] : [["accuracy", accuracy] as const]), ...Object.entries(metrics)]);
}

function measuresIn(models: readonly OnTasks[], task: string): readonly string[] {
  return [...new Set(models.flatMap(({ scores }) => (scores[task] ? [...measuresOf(scores[task]).keys()] : [])))];
}

function measureCell(score: TaskScore | undefined, name: string): string {
  return (score && measuresOf(score).get(name)?.toFixed(3)) ?? "";
}
