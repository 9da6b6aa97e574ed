import { mean } from "simple-statistics";
import type { RowLosses, Selection } from "../../evaluate/evaluator.ts";
import type { TaskScores } from "../../journal/records.ts";

/** How the losses of the tasks become one: mean loss / scale, averaged by weight. */
export interface ObjectiveTask {
  readonly name: string;
  readonly weight: number;
  /** Mean loss of the uniform average on the task's search rows, so that every task is 1 there. */
  readonly scale: number;
}

/** Factor of a task's mean loss in the combined loss. */
export function factorOf(task: ObjectiveTask, tasks: readonly ObjectiveTask[]): number {
  return task.weight / tasks.reduce((sum, { weight }) => sum + weight, 0) / task.scale;
}

/** Combined loss of mean scores; NaN where a task has none. */
export function combinedScores(scores: TaskScores, tasks: readonly ObjectiveTask[]): number {
  return tasks.reduce((sum, task) => sum + factorOf(task, tasks) * (scores[task.name]?.loss ?? Number.NaN), 0);
}

/** The weight, by task, of each of these rows in the combined loss, which is the sum of their losses times these. */
export function rowWeights(tasks: readonly ObjectiveTask[], rows: Selection): Readonly<Record<string, number>> {
  return Object.fromEntries(tasks.map((task) => [task.name, factorOf(task, tasks) / (rows[task.name]?.length ?? 0)]));
}

/** The same in a sum of the scaled losses of the tasks, of which each has another weight for each candidate. */
export function rowWeightsOf(
  tasks: readonly ObjectiveTask[],
  rows: Selection,
  weights: readonly (readonly number[])[],
): Readonly<Record<string, readonly number[]>> {
  return Object.fromEntries(
    tasks.map(({ name, scale }, i) => [name, weights.map((own) => (own[i] ?? 0) / scale / (rows[name]?.length ?? 0))]),
  );
}

/** The share of each task in the combined loss. */
export function sharesIn(tasks: readonly Pick<ObjectiveTask, "weight">[]): number[] {
  const sum = tasks.reduce((all, { weight }) => all + weight, 0);
  return tasks.map(({ weight }) => weight / sum);
}

/** The scaled loss of each task, from the losses of its rows; NaN where any of these is. */
export function scaledLosses(losses: Float64Array, tasks: readonly ObjectiveTask[], rows: Selection): number[] {
  let next = 0;
  const means = new Map(
    Object.entries(rows).map(([name, { length }]) => [name, mean([...losses.subarray(next, (next += length))])]),
  );
  return tasks.map(({ name, scale }) => (means.get(name) ?? Number.NaN) / scale);
}

/** Combined loss of an evaluation over the rows it was given; NaN when any row's loss is. */
export function combinedLoss({ scores }: RowLosses, tasks: readonly ObjectiveTask[]): number {
  return tasks.reduce(
    (sum, task) => sum + factorOf(task, tasks) * mean((scores[task.name] ?? []).map(({ loss }) => loss)),
    0,
  );
}
