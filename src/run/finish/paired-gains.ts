import type { Selection } from "../../evaluate/evaluator.ts";
import type { Gain, GuardedModel } from "../../journal/records.ts";
import { type PairedLosses, pairedTest } from "../../statistics/paired-test.ts";
import { factorOf, type ObjectiveTask } from "../session/objective.ts";

/** Two models on the same rows: their losses by task, in the order of its rows. */
export interface PairedModels {
  readonly baseline: (task: string) => ArrayLike<number>;
  readonly candidate: (task: string) => ArrayLike<number>;
  readonly rows: Selection;
  readonly objective: readonly ObjectiveTask[];
  readonly seed: number;
}

/** The candidate's gains over the baseline, on all tasks combined and on each, by groups of rows. */
export function pairedGains({
  baseline,
  candidate,
  rows,
  objective,
  seed,
}: PairedModels): NonNullable<GuardedModel["gains"]> {
  const pairs = objective.map((task) => ({
    name: task.name,
    weight: factorOf(task, objective),
    baseline: baseline(task.name),
    candidate: candidate(task.name),
    groups: (rows[task.name] ?? []).map(({ group }) => group),
  }));
  const test = (weighted: readonly PairedLosses[]): Gain => {
    const { gain, interval, pValue } = pairedTest(weighted, { seed });
    return { gain, interval, pValue };
  };
  return {
    combined: test(pairs),
    tasks: Object.fromEntries(pairs.map((pair) => [pair.name, test([{ ...pair, weight: 1 }])])),
  };
}
