/**
 * Fewer rows than there are, where there is no time to tokenise all: whole groups at random, of every kind of row its
 * share, the same ones for whoever knows how many.
 * @module
 */
import type { Evaluator } from "../evaluate/evaluator.ts";
import { stratifiedOrder } from "../tasks/stratified-order.ts";
import type { TaskRow } from "../tasks/rows.ts";
import { RandomStream } from "../tensor/random.ts";
import type { Task } from "./load-tasks.ts";

const SIDES = ["search", "guard"] as const;
type Side = (typeof SIDES)[number];

/** How many rows of each task are used. */
export type DrawnRows = Readonly<Record<string, Readonly<Record<Side, number>>>>;

/** Rows that are tokenised before anything is known of their pace, of all tasks together. */
const FIRST_ROWS = 8;
/** Of each side of a task: with fewer, more time is no help. */
const LEAST_ROWS = 4;

/** What takes no longer is not worth telling. */
const QUIET_MS = 1000;

export interface DrawOptions {
  readonly evaluator: Evaluator;
  readonly seed: number;
  /** Milliseconds that tokenising may take, but for the least rows. */
  readonly allowedMs: number;
  readonly now: () => number;
  readonly signal?: AbortSignal | undefined;
  /** Told the share of all rows that are tokenised. */
  readonly onShare?: ((share: number) => void) | undefined;
}

export interface Drawing {
  readonly tasks: readonly Task[];
  /** Absent where all rows are used. */
  readonly drawn?: DrawnRows;
  /** What tokenising all rows takes, from the time of those that were. */
  readonly wholeMs: number;
}

/** Tokenises as many rows as the time allows; a row that cannot be scored is a UserError. */
export async function drawInTime(tasks: readonly Task[], options: DrawOptions): Promise<Drawing> {
  const { evaluator, seed, allowedMs, now, signal, onShare } = options;
  const ordered = tasks.flatMap((task) => SIDES.map((side) => ({ task, side, rows: rowsByGroup(task, side, seed) })));
  const total = ordered.reduce((sum, { rows }) => sum + rows.length, 0);
  const began = now();
  let share = 0;
  for (;;) {
    share = nextShare(share, total, now() - began, allowedMs);
    const counts = ordered.map(({ rows }) => endOfGroup(rows, Math.ceil(share * rows.length)));
    await evaluator.prepare(
      ordered.flatMap(({ rows }, i) => rows.slice(0, counts[i])),
      signal,
    );
    if (now() - began > QUIET_MS) onShare?.(share);
    const takenMs = now() - began;
    if (counts.every((count, i) => count === ordered[i]?.rows.length)) return { tasks, wholeMs: takenMs };
    const isEnough = counts.every((count, i) => count >= Math.min(LEAST_ROWS, ordered[i]?.rows.length ?? 0));
    if (takenMs < allowedMs || !isEnough) continue;
    const drawn = Object.fromEntries(
      tasks.map(({ name }, i) => [name, { search: counts[2 * i] ?? 0, guard: counts[2 * i + 1] ?? 0 }]),
    );
    return { tasks: drawnTasks(tasks, drawn, seed), drawn, wholeMs: takenMs / share };
  }
}

/** The rows that were drawn when so many were. */
export function drawnTasks(tasks: readonly Task[], drawn: DrawnRows, seed: number): readonly Task[] {
  const take = (task: Task, side: Side): readonly TaskRow[] => {
    const taken = new Set(rowsByGroup(task, side, seed).slice(0, drawn[task.name]?.[side] ?? 0));
    return task[side].filter((row) => taken.has(row));
  };
  return tasks.map((task) => ({ ...task, search: take(task, "search"), guard: take(task, "guard") }));
}

/** A share of the rows to go to: twice as many, or as many as the pace so far has in what is left of the time. */
function nextShare(share: number, total: number, takenMs: number, allowedMs: number): number {
  if (share === 0) return Math.min(1, FIRST_ROWS / total);
  const inTime = (share * (allowedMs - takenMs)) / Math.max(1, takenMs);
  return Math.min(1, share + Math.max(FIRST_ROWS / total, Math.min(share, inTime)));
}

/** All rows of one side, group after group. */
function rowsByGroup(task: Task, side: Side, seed: number): TaskRow[] {
  const groups = new Map<string, TaskRow[]>();
  for (const row of task[side]) {
    const own = groups.get(row.group);
    if (own) own.push(row);
    else groups.set(row.group, [row]);
  }
  const first = Array.from(groups.values(), ([row]) => row).filter((row) => row !== undefined);
  const order = stratifiedOrder(first, RandomStream.of(seed, "drawn", side, task.name));
  return order.flatMap(({ group }) => groups.get(group) ?? []);
}

/** Where the group ends that the row before `count` is of. */
function endOfGroup(rows: readonly TaskRow[], count: number): number {
  const group = rows[count - 1]?.group;
  const rest = rows.slice(count).findIndex((row) => row.group !== group);
  return rest < 0 ? rows.length : count + rest;
}
