import type { Evaluation, RowLosses, Selection } from "../../evaluate/evaluator.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import type { Task } from "../../experiment/load-tasks.ts";
import type { Workspace } from "../../experiment/workspace.ts";
import type { Plugins } from "../../plugins/load-plugins.ts";
import type { ScoredModel, TaskScore, TaskScores } from "../../journal/records.ts";
import type { Recipe } from "../../merge/recipe.ts";
import type { Genome } from "../../space/genome.ts";
import { summarise } from "../../tasks/score.ts";
import type { BudgetClock } from "../time/budget-clock.ts";
import type { ComparisonTime } from "../time/comparison-time.ts";
import type { RunEvent } from "./events.ts";
import { combinedLoss, type ObjectiveTask } from "./objective.ts";
import type { UsualCourse } from "../time/course.ts";
import type { Paces } from "../time/paces.ts";
import type { Recorder } from "./recorder.ts";
import type { RowOrder } from "./row-order.ts";

/** What every phase of a run works with. */
export interface Session {
  readonly experiment: Experiment;
  readonly workspace: Workspace;
  readonly genome: Genome;
  readonly plugins: Plugins;
  readonly tasks: readonly Task[];
  readonly recorder: Recorder;
  readonly clock: BudgetClock;
  /** The order in which rows are taken where not all are. */
  readonly order: RowOrder;
  readonly paces: Paces;
  /** How scorings come along, and those with gradients. */
  readonly usual: Readonly<Record<keyof Paces, UsualCourse>>;
  /** Whether the winner is exported at the end of the run, which the budget keeps time for. */
  readonly exports: boolean;
  /** Milliseconds that an export takes to open again what was opened. */
  readonly againMs: number;
  /** What the intervals and tests of the verdict take. */
  readonly comparison: ComparisonTime;
  readonly emit: (event: RunEvent) => void;
  /** Wall-clock time of scoring after which it is recorded. */
  readonly partMs: number;
  /** Into how many parts the rows of a generation that wants gradients are dealt at least. */
  readonly leastParts: number;
  /** Aborts when a person interrupts the run. */
  readonly signal: AbortSignal | undefined;
}

/** All rows of one side, by task. */
export function allRows(tasks: readonly Task[], side: "search" | "guard"): Selection {
  return Object.fromEntries(tasks.map((task) => [task.name, task[side]]));
}

/** Mean scores of an evaluation, by task. */
export function taskScores(evaluation: Evaluation, selection: Selection): TaskScores {
  const entries = Object.entries(selection).map(([task, rows]): [string, TaskScore] => {
    const { loss, accuracy, metrics } = summarise(rows, evaluation.scores[task] ?? []);
    return [task, { loss, ...(accuracy !== undefined && { accuracy }), ...(metrics && { metrics }) }];
  });
  return Object.fromEntries(entries);
}

/** A model with its mean scores and combined loss. */
export function scoredModel(
  model: { readonly name: string; readonly recipe: Recipe },
  evaluation: Evaluation,
  selection: Selection,
  objective: readonly ObjectiveTask[],
): ScoredModel {
  const { name, recipe } = model;
  return { name, recipe, scores: taskScores(evaluation, selection), loss: combinedLoss(evaluation, objective) };
}

/** Losses of all rows of all evaluations, one evaluation after another. */
export function flatLosses(evaluations: readonly RowLosses[]): number[] {
  return evaluations.flatMap(({ scores }) => Object.values(scores).flatMap((rows) => rows.map(({ loss }) => loss)));
}
