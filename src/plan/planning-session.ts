import { pluginsAt } from "../plugins/load-plugins.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { BASE } from "../experiment/the-base.ts";
import type { Workspace } from "../experiment/workspace.ts";
import { BudgetClock } from "../run/time/budget-clock.ts";
import { measureComparison } from "../run/time/comparison-time.ts";
import { UsualCourse } from "../run/time/course.ts";
import { pacesOf } from "../run/time/paces.ts";
import { Recorder } from "../run/session/recorder.ts";
import { RowOrder } from "../run/session/row-order.ts";
import { drawForBudget, readRowsInTime } from "../run/rows-in-time.ts";
import { PART_MS } from "../run/scoring/score-in-parts.ts";
import type { Session } from "../run/session/session.ts";
import { genomeOf } from "../space/spaces.ts";

interface PlanningOptions {
  /** That of the machine, which began when models were opened. */
  readonly clock: BudgetClock;
  readonly signal?: AbortSignal | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
  readonly exports?: boolean | undefined;
  /** Of this machine, that score. */
  readonly count: number;
}

/** Reads the rows as a run does, and returns a session of which nothing is recorded, and whose time stands still from then on. */
export async function planningSession(
  experiment: Experiment,
  workspace: Workspace,
  { clock, signal, onNotice = () => {}, exports = false, count }: PlanningOptions,
): Promise<Session> {
  const openMs = clock.elapsedMs;
  const read = await readRowsInTime(experiment, clock, { signal, onNotice });
  const againMs = clock.elapsedMs;
  const { evaluator, signal: steering } = workspace;
  const onEvent = (event: { readonly type: string; readonly text?: string }): void => {
    if (event.type === "notice" && event.text !== undefined) onNotice(event.text);
  };
  const { tasks } = await drawForBudget(read, { seed: experiment.seed, evaluator, clock, signal, onEvent });
  // What is rehearsed costs the budget nothing: it is told what is left before anything was scored.
  const wall = { now: () => 0, after: () => () => {} };
  const usual = new UsualCourse();
  return {
    experiment,
    workspace,
    tasks,
    plugins: await pluginsAt(experiment.plugins ?? []),
    genome: genomeOf(experiment.space, { ...workspace, base: BASE }),
    recorder: new Recorder(experiment.name, { records: [], readNumbers: unread, readPoints: unread }),
    clock: new BudgetClock(experiment.budget, { elapsedMs: clock.elapsedMs, searchedMs: 0 }, wall),
    order: new RowOrder(tasks, experiment.seed),
    paces: pacesOf([], steering === evaluator),
    usual: { evaluator: usual, signal: usual, gradient: new UsualCourse() },
    exports,
    againMs: Math.max(openMs, againMs),
    comparison: clock.isTimed ? measureComparison(clock.wall) : { onceMs: 0, rowMs: 0 },
    emit: () => {},
    partMs: PART_MS,
    leastParts: count,
    signal,
  };
}

function unread(): never {
  throw new Error("plan: nothing is recorded");
}
