import { mean } from "simple-statistics";
import type { Evaluation, Selection } from "../evaluate/evaluator.ts";
import type { Experiment } from "../experiment/experiment-file.ts";
import type { Task } from "../experiment/load-tasks.ts";
import type { Workspace } from "../experiment/workspace.ts";
import type { ScoredModel, TaskScores } from "../journal/records.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { Genome } from "../space/genome.ts";
import { summarise } from "../tasks/score.ts";
import type { BudgetClock } from "./budget-clock.ts";
import type { RunEvent } from "./events.ts";
import { combinedLoss, type ObjectiveTask } from "./objective.ts";
import type { Recorder } from "./recorder.ts";

/** What every phase of a run works with. */
export interface Session {
  readonly experiment: Experiment;
  readonly workspace: Workspace;
  readonly genome: Genome;
  readonly tasks: readonly Task[];
  readonly recorder: Recorder;
  readonly clock: BudgetClock;
  readonly emit: (event: RunEvent) => void;
  /** Wall-clock time of scoring after which it is recorded. */
  readonly partMs: number;
  /** Aborts when a person interrupts the run. */
  readonly signal: AbortSignal | undefined;
}

/** All rows of one side, by task. */
export function allRows(tasks: readonly Task[], side: "search" | "guard"): Selection {
  return Object.fromEntries(tasks.map((task) => [task.name, task[side]]));
}

/** Mean scores of an evaluation, by task. */
function taskScores(evaluation: Evaluation, selection: Selection): TaskScores {
  const entries = Object.entries(selection).map(([task, rows]) => {
    const { loss, accuracy } = summarise(rows, evaluation.scores[task] ?? []);
    return [task, accuracy === undefined ? { loss } : { loss, accuracy }];
  });
  return Object.fromEntries(entries) as TaskScores;
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
export function flatLosses(evaluations: readonly Evaluation[]): number[] {
  return evaluations.flatMap(({ scores }) => Object.values(scores).flatMap((rows) => rows.map(({ loss }) => loss)));
}

/** The objective whose unit is the uniform average on the search rows. */
export function objectiveOf(tasks: readonly Task[], scales: Readonly<Record<string, number>>): ObjectiveTask[] {
  return tasks.map(({ name, weight }) => ({ name, weight, scale: scales[name] ?? 1 }));
}

/** Mean loss by task. */
export function meanLosses({ scores }: Evaluation): Record<string, number> {
  return Object.fromEntries(Object.entries(scores).map(([task, rows]) => [task, mean(rows.map(({ loss }) => loss))]));
}
