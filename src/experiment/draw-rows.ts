/**
 * Fewer rows than there are, where there is no time to tokenise all: rows at random, of every kind its share and of large
 * groups a part, the same ones for whoever knows how many. What is searched and what is guard was divided by group before.
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
/** That are tokenised before the clock is looked at again. */
const MOST_ROWS = 512;
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
  const ordered = tasks.flatMap((task) => SIDES.map((side) => rowsInOrder(task, side, seed)));
  const pace = new TokenisingPace(ordered.reduce((sum, rows) => sum + rows.length, 0));
  const began = now();
  let counts = ordered.map(() => 0);
  for (;;) {
    const share = pace.nextRows(allowedMs) / pace.total;
    const next = ordered.map((rows, i) =>
      Math.min(rows.length, Math.max(LEAST_ROWS, counts[i] ?? 0, Math.ceil(share * rows.length))),
    );
    await evaluator.prepare(
      ordered.flatMap((rows, i) => rows.slice(counts[i], next[i])),
      signal,
    );
    counts = next;
    pace.took(
      counts.reduce((sum, count) => sum + count, 0),
      now() - began,
    );
    if (pace.ms > QUIET_MS) onShare?.(pace.rows / pace.total);
    if (pace.rows === pace.total) return { tasks, wholeMs: pace.ms };
    if (pace.isTimeFor(FIRST_ROWS, allowedMs)) continue;
    const drawn = Object.fromEntries(
      tasks.map(({ name }, i) => [name, { search: counts[2 * i] ?? 0, guard: counts[2 * i + 1] ?? 0 }]),
    );
    return { tasks: drawnTasks(tasks, drawn, seed), drawn, wholeMs: pace.wholeMs };
  }
}

/** The rows that were drawn when so many were. */
export function drawnTasks(tasks: readonly Task[], drawn: DrawnRows, seed: number): readonly Task[] {
  const take = (task: Task, side: Side): readonly TaskRow[] => {
    const taken = new Set(rowsInOrder(task, side, seed).slice(0, drawn[task.name]?.[side] ?? 0));
    return task[side].filter((row) => taken.has(row));
  };
  return tasks.map((task) => ({ ...task, search: take(task, "search"), guard: take(task, "guard") }));
}

/** All rows of one side, in the order in which they are drawn. */
function rowsInOrder(task: Task, side: Side, seed: number): TaskRow[] {
  return stratifiedOrder(task[side], RandomStream.of(seed, "drawn", side, task.name));
}

/** How long rows take, of those that were tokenised; the first ones take longer, and say little of the others. */
class TokenisingPace {
  readonly total: number;
  #marks: { readonly rows: number; readonly ms: number }[] = [{ rows: 0, ms: 0 }];

  constructor(total: number) {
    this.total = total;
  }

  get rows(): number {
    return this.#marks.at(-1)?.rows ?? 0;
  }

  get ms(): number {
    return this.#marks.at(-1)?.ms ?? 0;
  }

  /** So many rows were tokenised in so many milliseconds, all in all. */
  took(rows: number, ms: number): void {
    this.#marks.push({ rows, ms });
  }

  /** Of one row, as the later half took. */
  get #rowMs(): number {
    const [none, first, ...later] = this.#marks;
    const slowFirst = later.length > 0 ? first : none;
    const half = later.findLast(({ rows }) => rows <= this.rows / 2) ?? slowFirst ?? { rows: 0, ms: 0 };
    return (this.ms - half.ms) / Math.max(1, this.rows - half.rows);
  }

  /** What all rows take. */
  get wholeMs(): number {
    return this.ms + this.#rowMs * (this.total - this.rows);
  }

  /** Or where nothing is known of rows but the first ones. */
  isTimeFor(rows: number, allowedMs: number): boolean {
    return this.#marks.length < 3 || this.ms + rows * this.#rowMs < allowedMs;
  }

  /** How many rows to go to: to no more than twice as many, or half of those that there is time for. */
  nextRows(allowedMs: number): number {
    const inTime = (allowedMs - this.ms) / Math.max(1e-3, this.#rowMs);
    return Math.min(this.total, this.rows + Math.max(FIRST_ROWS, Math.min(this.rows, inTime / 2, MOST_ROWS)));
  }
}
