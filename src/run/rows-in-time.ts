import { UserError } from "../errors.ts";
import { type Drawing, drawInTime, type DrawOptions } from "../experiment/draw-rows.ts";
import type { Experiment } from "../experiment/experiment-file.ts";
import { readTasks, type Task } from "../experiment/load-tasks.ts";
import type { BudgetClock } from "./budget-clock.ts";
import { withDeadline } from "./deadline.ts";
import type { RunEvent } from "./events.ts";

/** Of a budget of time: until the files of rows must be read, and for tokenising rows. */
const READING_SHARE = 0.9;
const TOKENISING_SHARE = 1 / 8;

/** The rows of all tasks, not tokenised; a UserError where opening everything and reading them takes nearly all of the budget. */
export async function readRowsInTime(
  experiment: Experiment,
  clock: BudgetClock,
  { signal, onNotice }: { readonly signal?: AbortSignal | undefined; readonly onNotice?: (text: string) => void } = {},
): Promise<Task[]> {
  const limitMs = READING_SHARE * clock.totalMs;
  const leftMs = limitMs - clock.elapsedMs;
  const read = await withDeadline(leftMs, signal, (inTime) => readTasks(experiment, inTime, onNotice), clock.wall);
  if (read) return read;
  throw new UserError(
    `opening the models and reading the files of rows took more than ${limitMs / 1000} s of the time budget of ${clock.totalMs / 1000} s; give one of at least ${Math.ceil((4 * limitMs) / 1000)} s, or fewer rows`,
  );
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
  const drawing = await drawInTime(tasks, {
    ...options,
    allowedMs: TOKENISING_SHARE * clock.remainingMs,
    now: clock.wall.now,
    onShare: (share) => onEvent?.({ type: "progress", phase: "rows", share }),
  });
  if (drawing.drawn) onEvent?.({ type: "notice", text: drawnText(tasks, drawing) });
  return drawing;
}

function drawnText(tasks: readonly Task[], { drawn = {}, wholeMs }: Drawing): string {
  const counts = tasks.map(({ name, search, guard }) => {
    const { search: searched = 0, guard: guarded = 0 } = drawn[name] ?? {};
    return `${searched} of ${search.length} search rows and ${guarded} of ${guard.length} guard rows of ${name}`;
  });
  const budget = Math.ceil(wholeMs / TOKENISING_SHARE / 1000);
  return `the budget has no time to tokenise all rows, which takes about ${Math.ceil(wholeMs / 1000)} s; the run uses ${counts.join(", ")}, drawn by groups; a budget of ${budget} s has time for all`;
}
