import { OutOfMemory } from "../errors.ts";
import type { Budget, Experiment } from "../experiment/experiment.ts";
import { BASE } from "../experiment/the-base.ts";
import { drawnSentences } from "../journal/drawn-sentences.ts";
import type { Journal, JournalView } from "../journal/journal.ts";
import { earlierLooks } from "../journal/standing.ts";
import { genomeOf } from "../space/spaces.ts";
import { findWinner, type Found } from "./find-winner.ts";
import { checkRecords } from "./recorded/check-records.ts";
import { rememberBudget } from "./recorded/recorded-run.ts";
import type { RunOptions } from "./run-options.ts";
import { PART_MS } from "./scoring/score-in-parts.ts";
import { Recorder } from "./session/recorder.ts";
import { RowOrder } from "./session/row-order.ts";
import type { Session } from "./session/session.ts";
import { measureComparison } from "./time/comparison-time.ts";
import { UsualCourse } from "./time/course.ts";
import { pacesOf } from "./time/paces.ts";

const ROOM_FOR_A_SEARCH = "free the device, or lower rowFraction or population";

/** What a run has found. */
export interface Outcome extends Found {
  readonly folder: string;
  /** Models and datasets of the Hub by the commits that were used. */
  readonly experiment: Experiment;
  /** That a part of the rows was drawn, where it was. */
  readonly drawn: readonly string[];
}

/** A run whose models and rows are open. */
interface OpenRun
  extends RunOptions, Pick<Session, "experiment" | "workspace" | "plugins" | "tasks" | "clock" | "againMs"> {
  readonly folder: string;
  readonly view: JournalView;
  /** Absent when the run is only read. */
  readonly journal?: Journal;
  /** Taken from here on, and remembered now that nothing else keeps the run from going on. */
  readonly budget?: Budget | undefined;
}

/** Takes a run that is open through its phases, as far as its records go where it is only read. */
export async function carryOn({ folder, view, journal, budget, ...run }: OpenRun): Promise<Outcome> {
  const { experiment, workspace } = run;
  const genome = genomeOf(experiment.space, { ...workspace, base: BASE });
  const usual = new UsualCourse();
  checkRecords(folder, view.records, { ...run, genome });
  if (journal && budget) rememberBudget(journal, budget);
  const session: Session = {
    ...run,
    genome,
    exports: run.exports ?? false,
    recorder: new Recorder(folder, view, journal),
    order: new RowOrder(run.tasks, experiment.seed),
    comparison: journal && run.clock.isTimed ? measureComparison(run.clock.wall) : { onceMs: 0, rowMs: 0 },
    paces: pacesOf(view.records, workspace.signal === workspace.evaluator),
    usual: { evaluator: usual, signal: usual, gradient: new UsualCourse() },
    emit: (event) => run.onEvent?.(event, run.clock.elapsedMs),
    signal: run.signal,
    partMs: run.partMs ?? PART_MS,
    leastParts: run.parts ?? 1,
  };
  announce(session, folder, view.records.length > 1);
  const found = await OutOfMemory.advising(ROOM_FOR_A_SEARCH, () => findWinner(session));
  const looks = earlierLooks(view.records) + found.looks;
  return { folder, experiment, drawn: drawnSentences(view.records), ...found, looks };
}

function announce({ workspace, genome, tasks, emit }: Session, folder: string, resumed: boolean): void {
  emit({
    type: "opened",
    folder,
    engine: workspace.engine.name,
    why: workspace.why,
    precision: workspace.precision,
    experts: workspace.experts,
    genome: genome.summary,
    rows: Object.fromEntries(
      tasks.map(({ name, search, guard }) => [name, { search: search.length, guard: guard.length }]),
    ),
    resumed,
  });
}
