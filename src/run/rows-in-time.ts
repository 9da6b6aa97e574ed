import { UserError } from "../errors.ts";
import { type Drawing, type DrawnRows, drawInTime, type DrawOptions } from "../experiment/draw-rows.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { readTasks, type Task } from "../experiment/load-tasks.ts";
import type { BudgetClock } from "./time/budget-clock.ts";
import { withDeadline } from "./time/deadline.ts";
import type { RunEvent } from "./session/events.ts";

/** Of a budget of time: until the files of rows must be read, for tokenising rows, and for searching. */
const READING_SHARE = 0.9;
const TOKENISING_SHARE = 1 / 8;
const SEARCH_SHARE = 1 / 2;

/** Of reading for as long it is known what the whole takes, so that this is spent even where opening took all the time. */
const LEAST_READING_MS = 250;
/** Rows are divided when all are read, which takes a third of what reading them did. */
const DIVIDING = 1 / 3;
/** What the pace of a part may be off. */
const MARGIN = 1.2;

/** The rows of all tasks, not tokenised; a UserError where opening everything and reading them takes nearly all of the budget. */
export async function readRowsInTime(
  experiment: Experiment,
  clock: BudgetClock,
  { signal, onNotice }: { readonly signal?: AbortSignal | undefined; readonly onNotice?: (text: string) => void } = {},
): Promise<Task[]> {
  const openMs = clock.elapsedMs;
  const leftMs = Math.max(LEAST_READING_MS, READING_SHARE * clock.totalMs - openMs);
  let share = 0;
  const read = await withDeadline(
    leftMs,
    signal,
    (inTime) => readTasks(experiment, { signal: inTime, onNotice, onShare: (now) => (share = now) }),
    clock.wall,
  );
  if (read) return read;
  throw new UserError(noTimeText({ openMs, readMs: clock.elapsedMs - openMs, share, budgetMs: clock.totalMs }));
}

/** What was seen of opening and reading until the time for them was over, in milliseconds, and the share of all bytes of rows that was read. */
interface Reading {
  readonly openMs: number;
  readonly readMs: number;
  readonly share: number;
  readonly budgetMs: number;
}

/** How long the whole takes, and the budget that has room for it: both are done again for the export, which opens what it has written, too. */
export function noTimeText({ openMs, readMs, share, budgetMs }: Reading): string {
  const wholeMs = (readMs / (share || 1)) * (1 + DIVIDING);
  const neededMs = (3 * openMs + 2 * wholeMs) / (1 - SEARCH_SHARE - TOKENISING_SHARE);
  const about = share > 0 ? "about" : "more than";
  return `the time budget of ${budgetMs / 1000} s has no room for opening the models, which took ${seconds(openMs)} s, and reading all rows, which takes ${about} ${seconds(wholeMs)} s here; give one of ${about} ${seconds(MARGIN * neededMs)} s, or fewer rows`;
}

/** As many tokenised rows as a part of the budget has time for; says how many those are where they are not all. */
export async function drawForBudget(
  tasks: readonly Task[],
  {
    clock,
    onEvent,
    ...options
  }: Pick<DrawOptions, "evaluator" | "seed" | "signal"> & {
    readonly clock: BudgetClock;
    readonly onEvent?: ((event: RunEvent) => void) | undefined;
  },
): Promise<Drawing> {
  const loadMs = clock.elapsedMs;
  const drawing = await drawInTime(tasks, {
    ...options,
    allowedMs: TOKENISING_SHARE * clock.remainingMs,
    now: clock.wall.now,
    onShare: (share) => onEvent?.({ type: "progress", phase: "rows", share }),
  });
  if (drawing.drawn) onEvent?.({ type: "notice", text: drawnText(tasks, drawing, loadMs) });
  return drawing;
}

/** How many rows each task has. */
export function countRows(tasks: readonly Task[]): DrawnRows {
  return Object.fromEntries(
    tasks.map(({ name, search, guard }) => [name, { search: search.length, guard: guard.length }]),
  );
}

function drawnText(tasks: readonly Task[], { drawn = {}, wholeMs }: Drawing, loadMs: number): string {
  const counts = tasks.map(({ name, search, guard }) => {
    const { search: searched = 0, guard: guarded = 0 } = drawn[name] ?? {};
    return `${searched} of ${search.length} search rows and ${guarded} of ${guard.length} guard rows of ${name}`;
  });
  const budgetMs = loadMs + (MARGIN * wholeMs) / TOKENISING_SHARE;
  return `the budget has no time to tokenise all rows, which takes about ${seconds(wholeMs)} s; the run uses ${counts.join(", ")}, drawn at random; a new run with a budget of about ${seconds(budgetMs)} s has time for all`;
}

function seconds(ms: number): number {
  return Math.ceil(ms / 1000);
}
