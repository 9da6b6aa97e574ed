import { mean } from "simple-statistics";
import type { Selection } from "../evaluate/evaluator.ts";
import { factorOf, type ObjectiveTask } from "./objective.ts";

/** Losses of rows, by task and the row's id. */
export type RowLossMap = ReadonlyMap<string, ReadonlyMap<string, number>>;

/**
 * Where a search is, on one scale from its beginning to its end: the loss over the rows that the best baseline met, each row with
 * the latest loss that it had. At first all are the baseline's; each generation puts those of its reference in the place of its
 * rows. So it moves as the search does and not with the rows of a generation, and lags behind: it never flatters.
 */
export class OverallLoss {
  readonly #met = new Map<string, Map<string, number>>();

  /** Told what a reference lost on each of these rows, task by task. */
  meet(rows: Selection, losses: Float64Array): void {
    let next = 0;
    for (const [task, own] of Object.entries(rows)) {
      const met = this.#met.get(task) ?? new Map<string, number>();
      for (const { id } of own) met.set(id, losses[next++] ?? Number.NaN);
      this.#met.set(task, met);
    }
  }

  /** Combined; NaN where the baseline met no row of a task. */
  from(baseline: RowLossMap, objective: readonly ObjectiveTask[]): number {
    return objective.reduce((sum, task) => {
      const met = this.#met.get(task.name);
      const losses = Array.from(baseline.get(task.name) ?? [], ([id, loss]) => met?.get(id) ?? loss);
      return sum + (losses.length === 0 ? Number.NaN : factorOf(task, objective) * mean(losses));
    }, 0);
  }
}
