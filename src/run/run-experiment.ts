import { tellEqualParents } from "../experiment/equal-weights.ts";
import type { Budget, Experiment } from "../experiment/experiment.ts";
import { cutRows } from "../experiment/cut-rows.ts";
import { identify, versions } from "../experiment/identity.ts";
import { prepareTasks, type Task } from "../experiment/load-tasks.ts";
import { openEngine, type OpenedEngine } from "../experiment/open-engine.ts";
import { BASE } from "../experiment/the-base.ts";
import { type Elsewhere, openWorkspace, type Workspace } from "../experiment/workspace.ts";
import { OutOfMemory, UserError } from "../errors.ts";
import { Journal, type JournalView, readJournal, requireFreeFolder } from "../journal/journal.ts";
import { earlierLooks } from "../journal/standing.ts";
import { drawnSentences } from "../journal/drawn-sentences.ts";
import type { MovedPlaces } from "../journal/records.ts";
import { genomeOf } from "../space/spaces.ts";
import { bringHere, type BringOptions, bringRecorded } from "./recorded/bring-here.ts";
import { BudgetClock } from "./time/budget-clock.ts";
import type { Clock } from "./time/clock.ts";
import { UsualCourse } from "./time/course.ts";
import { checkRecords } from "./recorded/check-records.ts";
import { measureComparison } from "./time/comparison-time.ts";
import { EarlierRun } from "./recorded/earlier-run.ts";
import { findWinner, type Found } from "./find-winner.ts";
import { recordedPaths } from "./recorded/places.ts";
import { engineChange, rememberBudget, requireMore, spentOf } from "./recorded/recorded-run.ts";
import { recordedTasks } from "./recorded/recorded-tasks.ts";
import { pluginsAt } from "../plugins/load-plugins.ts";
import { recordedPlugins } from "./recorded/recorded-plugins.ts";
import { Recorder } from "./session/recorder.ts";
import { rememberMoved } from "./recorded/remember-moved.ts";
import { pacesOf } from "./time/paces.ts";
import { Opening } from "./time/opening.ts";
import { countRows, drawForBudget, readRowsInTime } from "./rows-in-time.ts";
import { RowOrder } from "./session/row-order.ts";
import { PART_MS } from "./scoring/score-in-parts.ts";
import type { Session } from "./session/session.ts";

/** Its signal interrupts the run between two steps of the device; what was recorded stays, and the run can be resumed. */
export interface RunOptions extends BringOptions {
  /** Wall-clock time of scoring after which it is recorded, so that a crash costs about so much; three minutes unless given. */
  readonly partMs?: number | undefined;
  /** Whether `exportRun` follows within the budget, which keeps time for it. */
  readonly exports?: boolean | undefined;
  /** @internal In place of the machine's own. */
  readonly wall?: Clock | undefined;
  /** @internal In place of the one that the experiment names. */
  readonly engine?: OpenedEngine | undefined;
  /** @internal What scores in place of the engine. */
  readonly elsewhere?: Elsewhere | undefined;
  /** @internal Into how many parts the rows of a generation are dealt at least, where it wants gradients: parts are what workers share. */
  readonly parts?: number | undefined;
}

export interface ReopenOptions extends RunOptions {
  /** Where models and rows are that were moved: absolute paths or names on the Hub. It is remembered. */
  readonly moved?: MovedPlaces | undefined;
}

/** What a run has found. */
export interface Outcome extends Found {
  readonly folder: string;
  /** Models and datasets of the Hub by the commits that were used. */
  readonly experiment: Experiment;
  /** That a part of the rows was drawn, where it was. */
  readonly drawn: readonly string[];
}

/**
 * Launches a search in a new folder, or in that of a run that scored nothing, and carries it through to the verdict. What
 * comes from the Hub is fetched before the budget's clock starts.
 */
export async function launchRun(given: Experiment, folder: string, options: RunOptions = {}): Promise<Outcome> {
  const onNotice = noticesTo(options);
  // Before gigabytes are fetched for it.
  if (requireFreeFolder(folder)) {
    onNotice(`the run in ${folder} ended before anything was scored; this one takes its place`);
  }
  const earlier = EarlierRun.of(given);
  const plugins = await pluginsAt(given.plugins ?? []);
  refuseElsewhere(given, options);
  const brought = await bringHere(given, options);
  await tellEqualParents(brought.local, { onNotice, signal: options.signal });
  const opening = new Opening(options.wall);
  const engine = await openEngineFor(brought.local, options);
  const clock = new BudgetClock(given.budget, undefined, opening.wall);
  await using workspace = await openWorkspace(brought.local, {
    engine,
    elsewhere: options.elsewhere,
    signal: options.signal,
    now: opening.wall.now,
    // Models of the Hub were spoken of as they were fetched.
    ...(brought.local === brought.experiment && { onNotice }),
  });
  const experiment = earlier ? earlier.take(brought.experiment, workspace) : brought.experiment;
  const { recipes, start: beginning } = experiment;
  const local = { ...brought.local, ...(recipes && { recipes }), ...(beginning && { start: beginning }) };
  opening.isOpen();
  const read = await readRowsInTime(local, clock, { signal: options.signal, onNotice });
  opening.isRead();
  const { seed } = local;
  const { tasks, drawn } = await drawForBudget(read, { seed, evaluator: workspace.evaluator, clock, ...options });
  for (const { name, search, guard } of tasks) {
    const cut = cutRows(`rows of ${name}`, [...search, ...guard], workspace.evaluator);
    if (cut !== undefined) onNotice(cut);
  }
  const seenBefore = await earlier?.meet(tasks, options);
  const identity = identify(workspace, tasks, plugins);
  const start = {
    began: new Date().toISOString(),
    experiment: recordedPaths(folder, experiment),
    identity,
    versions: versions(workspace, plugins),
    ...(drawn && { drawn, outOf: countRows(read) }),
    ...seenBefore,
  };
  using journal = Journal.create(folder, start);
  const { againMs } = opening;
  return await carryOn({
    experiment,
    workspace,
    plugins,
    tasks,
    clock,
    againMs,
    view: journal,
    journal,
    folder,
    ...options,
  });
}

/**
 * Goes on with an interrupted run. Everything recorded is replayed, not computed again; parents, rows and genes must be
 * those of the journal. A budget, when given, takes the place of the run's own from here on, and is recorded.
 */
export async function resumeRun(
  folder: string,
  options: ReopenOptions & { readonly budget?: Budget | undefined } = {},
): Promise<Outcome> {
  await rememberMoved(folder, options.moved ?? {}, options);
  using journal = Journal.open(folder);
  const { records } = journal;
  if (options.budget) requireMore(folder, records, options.budget);
  const { experiment, local } = await bringRecorded(folder, records, options, options.budget);
  const plugins = await recordedPlugins(folder, records, local);
  refuseElsewhere(local, options);
  const opening = new Opening(options.wall);
  const engine = await openEngineFor(local, options);
  const clock = new BudgetClock(experiment.budget, spentOf(records), opening.wall);
  await using workspace = await openWorkspace(local, {
    engine,
    elsewhere: options.elsewhere,
    signal: options.signal,
    now: opening.wall.now,
  });
  opening.isOpen();
  const change = engineChange(records, workspace);
  if (change !== undefined) noticesTo(options)(change);
  const tasks = await recordedTasks(folder, records, { experiment, local, workspace, signal: options.signal });
  opening.isRead();
  for (const sentence of drawnSentences(records))
    noticesTo(options)(`${sentence} A new run with more time takes more.`);
  await prepareTasks(tasks, workspace.evaluator, options.signal);
  const { againMs } = opening;
  const outcome = await carryOn({
    experiment,
    workspace,
    plugins,
    tasks,
    clock,
    againMs,
    view: journal,
    journal,
    folder,
    ...options,
  });
  // A finished run had nothing to score, and its parents may be others all the same.
  for (const checkpoint of workspace.checkpoints.values()) await checkpoint.checkUnread();
  return outcome;
}

/** What a run has found so far, finished or not, read without disturbing it; the workspace stays the caller's. */
export async function readOutcome(
  folder: string,
  options: ReopenOptions = {},
): Promise<Outcome & { readonly workspace: Workspace; readonly tasks: readonly Task[] }> {
  if (options.moved) await rememberMoved(folder, options.moved, options);
  const view = readJournal(folder);
  const { records } = view;
  const { experiment, local } = await bringRecorded(folder, records, options);
  const plugins = await recordedPlugins(folder, records, local);
  const clock = new BudgetClock(experiment.budget, spentOf(records));
  const workspace = await openWorkspace(local, { signal: options.signal });
  try {
    const tasks = await recordedTasks(folder, records, { experiment, local, workspace, signal: options.signal });
    return {
      ...(await carryOn({ experiment, workspace, plugins, tasks, clock, againMs: 0, view, folder })),
      workspace,
      tasks,
    };
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
}

/** Workers are sent losses as data, and have no code of a plugin. */
function refuseElsewhere({ tasks }: Experiment, { elsewhere }: RunOptions): void {
  const task = elsewhere && tasks.find(({ format }) => format);
  if (task)
    throw new UserError(
      `tasks.${task.name}.format: workers know no format of a plugin, found ${task.format}; run without workers`,
    );
}

/** Before the clock starts, so that whoever expects a GPU and has none can stop at no cost. */
async function openEngineFor(experiment: Experiment, options: RunOptions): Promise<OpenedEngine> {
  return options.engine ?? openEngine(experiment, noticesTo(options));
}

function noticesTo({ onEvent }: Pick<RunOptions, "onEvent">): (text: string) => void {
  return (text) => onEvent?.({ type: "notice", text });
}

const ROOM_FOR_A_SEARCH = "free the device, or lower rowFraction or population";

interface OpenRun
  extends RunOptions, Pick<Session, "experiment" | "workspace" | "plugins" | "tasks" | "clock" | "againMs"> {
  readonly folder: string;
  readonly view: JournalView;
  /** Absent when the run is only read. */
  readonly journal?: Journal;
  /** Taken from here on, and remembered now that nothing else keeps the run from going on. */
  readonly budget?: Budget | undefined;
}

async function carryOn({ folder, view, journal, budget, ...run }: OpenRun): Promise<Outcome> {
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
