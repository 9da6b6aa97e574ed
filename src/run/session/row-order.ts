import type { Selection } from "../../evaluate/evaluator.ts";
import type { Task } from "../../experiment/load-tasks.ts";
import { stratifiedOrder } from "../../tasks/stratified-order.ts";
import type { TaskRow } from "../../tasks/rows.ts";
import type { RowCounts } from "../../journal/records.ts";
import { RandomStream } from "../../tensor/random.ts";

/** Rows that tell anything of a task. */
const LEAST_ROWS = 2;

/**
 * The order in which the rows of each task are taken where time does not suffice for all, the same for whoever takes them:
 * fewer rows are always part of more.
 */
export class RowOrder {
  readonly #tasks: readonly Task[];
  readonly #seed: number;
  readonly #orders = new Map<string, readonly TaskRow[]>();

  constructor(tasks: readonly Task[], seed: number) {
    this.#tasks = tasks;
    this.#seed = seed;
  }

  /** About a share of each task's rows, but at least `least` where there are so many. */
  counts(side: "search" | "guard", share: number, least = LEAST_ROWS): RowCounts {
    const count = ({ length }: readonly TaskRow[]): number =>
      Math.min(length, Math.max(least, Math.round(share * length)));
    return Object.fromEntries(this.#tasks.map((task) => [task.name, count(task[side])]));
  }

  /** The rows up to `to` in this order, without those up to `from`, in the order of the files; a task without any is left out. */
  rows(side: "search" | "guard", to: RowCounts, from: RowCounts = {}): Selection {
    const entries = this.#tasks.map((task): [string, readonly TaskRow[]] => {
      const { name } = task;
      const taken = new Set(this.#order(task, side).slice(from[name] ?? 0, to[name] ?? 0));
      return [name, task[side].filter((row) => taken.has(row))];
    });
    return Object.fromEntries(entries.filter(([, { length }]) => length > 0));
  }

  #order(task: Task, side: "search" | "guard"): readonly TaskRow[] {
    const key = `${side} ${task.name}`;
    const known = this.#orders.get(key);
    if (known) return known;
    const order = stratifiedOrder(task[side], RandomStream.of(this.#seed, "order", side, task.name));
    this.#orders.set(key, order);
    return order;
  }
}

/** Whether both are the same. */
export function sameCounts(a: RowCounts, b: RowCounts): boolean {
  return Object.entries(a).every(([task, count]) => b[task] === count);
}

/** Of each task the smaller count. */
export function fewer(a: RowCounts, b: RowCounts): RowCounts {
  return Object.fromEntries(Object.entries(a).map(([task, count]) => [task, Math.min(count, b[task] ?? 0)]));
}

/** Of each task of the first the larger count. */
export function more(a: RowCounts, b: RowCounts = {}): RowCounts {
  return Object.fromEntries(Object.entries(a).map(([task, count]) => [task, Math.max(count, b[task] ?? 0)]));
}

/** Whether there are as many of every task as another has, or more. */
export function covers(counts: RowCounts, other: RowCounts): boolean {
  return Object.entries(other).every(([task, count]) => count <= (counts[task] ?? 0));
}

/** All of them, for people: `120 of cosmosqa, 40 of xsum`. */
export function countsText(counts: RowCounts): string {
  return Object.entries(counts)
    .map(([task, count]) => `${count} of ${task}`)
    .join(", ");
}
