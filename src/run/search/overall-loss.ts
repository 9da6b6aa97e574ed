import { mean, sum } from "simple-statistics";
import type { Selection } from "../../evaluate/evaluator.ts";
import { factorOf, type ObjectiveTask } from "../session/objective.ts";

/** Losses of rows, by task and the row's id. */
export type RowLossMap = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** Of a task's rows, those that were met latest and are looked at: fewer would jump as the rows of a generation do, more would lag behind. */
const LATEST = 1 / 3;

/** What a row lost, and in which generation. */
interface MetRow {
  readonly loss: number;
  readonly turn: number;
}

/**
 * Where a search is, on the scale of the best baseline's loss on all rows that it met: that loss, times what the search makes of the
 * baseline's on the third of them that its generations met latest, each row with the latest loss that it had.
 */
export class OverallLoss {
  /** What each row lost when it was met last, those met latest at the end. */
  readonly #met = new Map<string, Map<string, MetRow>>();
  #turn = 0;

  /** Told what a reference lost on each of these rows, task by task. */
  meet(rows: Selection, losses: Float64Array): void {
    let next = 0;
    this.#turn += 1;
    for (const [task, own] of Object.entries(rows)) {
      const met = this.#met.get(task) ?? new Map<string, MetRow>();
      for (const { id } of own) {
        met.delete(id);
        met.set(id, { loss: losses[next++] ?? Number.NaN, turn: this.#turn });
      }
      this.#met.set(task, met);
    }
  }

  /** Combined; the baseline's own where no row of its was met, NaN where it met none of a task. */
  from(baseline: RowLossMap, objective: readonly ObjectiveTask[]): number {
    return objective.reduce((total, task) => {
      const known = baseline.get(task.name) ?? new Map<string, number>();
      if (known.size === 0) return Number.NaN;
      return total + factorOf(task, objective) * mean([...known.values()]) * this.#partOf(task.name, known);
    }, 0);
  }

  /** What the search makes of a baseline's loss, on the rows of as many whole generations as it takes. */
  #partOf(task: string, known: ReadonlyMap<string, number>): number {
    const shared = [...(this.#met.get(task) ?? [])].filter(([id]) => known.has(id));
    const first = shared.at(-Math.ceil(LATEST * known.size)) ?? shared[0];
    const latest = shared.filter(([, { turn }]) => first && turn >= first[1].turn);
    const before = sum(latest.map(([id]) => known.get(id) ?? 0));
    return before > 0 ? sum(latest.map(([, { loss }]) => loss)) / before : 1;
  }
}
