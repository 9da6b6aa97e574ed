import { isDeepStrictEqual } from "node:util";
import { UserError } from "../errors.ts";
import type { Budget, Experiment } from "../experiment/experiment-file.ts";
import { checkUnchanged, expectTensors, identify, inPrecisionOf, versions } from "../experiment/identity.ts";
import { loadTasks, type Task } from "../experiment/load-tasks.ts";
import { fetchSources, namesHub, resolveSources, type SourceOptions } from "../experiment/sources.ts";
import { openEngine, type OpenedEngine } from "../experiment/open-engine.ts";
import { openWorkspace, type Workspace } from "../experiment/workspace.ts";
import { recordedExperiment } from "../experiment/recorded-experiment.ts";
import { type Hub, openHub } from "../hub/api/hub.ts";
import { Journal, type JournalView, readJournal } from "../journal/journal.ts";
import { requireFree } from "../journal/run-files.ts";
import type { JournalRecord, RecordPayloads, ScoredModel } from "../journal/records.ts";
import { buildGenome } from "../space/genome.ts";
import { BudgetClock } from "./budget-clock.ts";
import { checkRecords } from "./check-records.ts";
import { bestSoFar, chooseWinner } from "./choose-winner.ts";
import type { RunEvent } from "./events.ts";
import { judgeWinner } from "./judge-winner.ts";
import { planSearch } from "./plan-search.ts";
import { Recorder } from "./recorder.ts";
import { scoreBaselines } from "./score-baselines.ts";
import { PART_MS } from "./score-in-parts.ts";
import { searchGenerations } from "./search-generations.ts";
import type { Session } from "./session.ts";

export interface RunOptions {
  readonly onEvent?: ((event: RunEvent) => void) | undefined;
  /** Interrupts the run between two steps of the device; what was recorded stays, and the run can be resumed. */
  readonly signal?: AbortSignal | undefined;
  /** Wall-clock time of scoring after which it is recorded, so that a crash costs about so much; three minutes unless given. */
  readonly partMs?: number | undefined;
  /** Where models and rows come from that are not on this machine; the environment's unless given. */
  readonly hub?: Hub | undefined;
}

/** What a run has found. */
export interface Outcome {
  readonly folder: string;
  /** Models and datasets of the Hub by the commits that were used. */
  readonly experiment: Experiment;
  readonly winner: ScoredModel;
  /** Absent when the guard rows were not scored: the run goes on still, or its budget ended before. */
  readonly verdict?: RecordPayloads["verdict"];
}

/**
 * Launches a search in a new folder and carries it through to the verdict. What comes from the Hub is fetched before the
 * budget's clock starts.
 */
export async function launchRun(given: Experiment, folder: string, options: RunOptions = {}): Promise<Outcome> {
  requireFree(folder); // before gigabytes are fetched for it
  const { experiment, local } = await bringHere(given, options);
  const engine = await openEngineFor(local, options);
  const clock = new BudgetClock(experiment.budget, 0);
  await using workspace = await openWorkspace(local, { engine, signal: options.signal });
  const tasks = await loadTasks(local, workspace.evaluator, options.signal);
  const identity = identify(workspace, tasks);
  using journal = Journal.create(folder, { experiment, identity, versions: versions(workspace) });
  return await carryOn({ experiment, workspace, tasks, clock, view: journal, journal, folder, ...options });
}

/**
 * Goes on with an interrupted run. Everything recorded is replayed, not computed again; parents, rows and genes must be
 * those of the journal. A budget, when given, takes the place of the run's own from here on, and is recorded.
 */
export async function resumeRun(
  folder: string,
  options: RunOptions & { readonly budget?: Budget | undefined } = {},
): Promise<Outcome> {
  using journal = Journal.open(folder);
  const { records } = journal;
  if (options.budget) takeBudget(journal, options.budget);
  const { experiment, local } = await bringHere(experimentOf(folder, records), options);
  const engine = await openEngineFor(local, options);
  const clock = clockOf(records, experiment);
  await using workspace = await openWorkspace(local, { engine, signal: options.signal });
  const tasks = await recordedTasks(folder, records, { local, workspace, signal: options.signal });
  const outcome = await carryOn({ experiment, workspace, tasks, clock, view: journal, journal, folder, ...options });
  // A finished run had nothing to score, and its parents may be others all the same.
  for (const checkpoint of workspace.checkpoints.values()) await checkpoint.checkUnread();
  return outcome;
}

/** What a run has found so far, finished or not, read without disturbing it; the workspace stays the caller's. */
export async function readOutcome(
  folder: string,
  options: RunOptions = {},
): Promise<Outcome & { readonly workspace: Workspace; readonly tasks: readonly Task[] }> {
  const view = readJournal(folder);
  const { records } = view;
  const { experiment, local } = await bringHere(experimentOf(folder, records), options);
  const clock = clockOf(records, experiment);
  const workspace = await openWorkspace(local, { signal: options.signal });
  try {
    const tasks = await recordedTasks(folder, records, { local, workspace, signal: options.signal });
    return { ...(await carryOn({ experiment, workspace, tasks, clock, view, folder })), workspace, tasks };
  } catch (error) {
    await workspace[Symbol.asyncDispose]();
    throw error;
  }
}

/** The experiment with pinned revisions, and the same with folders and files of this machine in their place. */
async function bringHere(
  given: Experiment,
  { hub, signal, onEvent }: RunOptions,
): Promise<{ readonly experiment: Experiment; readonly local: Experiment }> {
  // A local run needs no Hub, whatever the environment says of one.
  if (!namesHub(given)) return { experiment: given, local: given };
  const options: SourceOptions = {
    signal,
    onNotice: (text) => onEvent?.({ type: "notice", text }),
    onProgress: (progress) => onEvent?.({ type: "fetching", ...progress }),
  };
  const opened = hub ?? (await openHub());
  const sources = await resolveSources(given, opened, options);
  return { experiment: sources.experiment, local: await fetchSources(sources, opened, options) };
}

/** Before the clock starts, so that whoever expects a GPU and has none can stop at no cost. */
function openEngineFor(experiment: Experiment, { onEvent }: RunOptions): Promise<OpenedEngine> {
  return openEngine(experiment, (text) => onEvent?.({ type: "notice", text }));
}

interface OpenRun extends RunOptions, Pick<Session, "experiment" | "workspace" | "tasks" | "clock"> {
  readonly folder: string;
  readonly view: JournalView;
  /** Absent when the run is only read. */
  readonly journal?: Journal;
}

async function carryOn({ folder, view, journal, ...run }: OpenRun): Promise<Outcome> {
  const { experiment, workspace } = run;
  const session: Session = {
    ...run,
    genome: buildGenome(experiment.space, { experts: workspace.experts, layers: workspace.model.layers }),
    recorder: new Recorder(folder, view, journal),
    emit: run.onEvent ?? (() => {}),
    signal: run.signal,
    partMs: run.partMs ?? PART_MS,
  };
  checkRecords(folder, view.records, session);
  announce(session, folder, view.records.length > 1);
  const scored = await scoreBaselines(session);
  const plan = await planSearch(session, scored);
  const { means, finish } = await searchGenerations(session, plan, scored);
  if (session.recorder.readOnly && session.recorder.upcoming === undefined) {
    return { folder, experiment, winner: bestSoFar(session, means, scored) };
  }
  const winner = await chooseWinner(session, means, scored, finish);
  if (session.recorder.readOnly && session.recorder.upcoming === undefined) return { folder, experiment, winner };
  const verdict = await judgeWinner(session, winner, scored, finish);
  return { folder, experiment, winner, ...(verdict ? { verdict } : {}) };
}

function announce({ workspace, genome, tasks, emit }: Session, folder: string, resumed: boolean): void {
  emit({
    type: "opened",
    folder,
    engine: workspace.device.name,
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

/** The recorded experiment under the last budget that it was given, in the precision that it began in. */
function experimentOf(folder: string, records: readonly JournalRecord[]): Experiment {
  const [start] = records;
  if (start?.type !== "start") return recordedExperiment(folder, undefined);
  const experiment = inPrecisionOf(start.identity, recordedExperiment(folder, start.experiment));
  const last = records.findLast((record) => record.type === "budget");
  return last ? { ...experiment, budget: last.budget } : experiment;
}

/** Remembers another budget, so that a later resumption needs not be told again. */
function takeBudget(journal: Journal, budget: Budget): void {
  const { folder, records } = journal;
  if (isDeepStrictEqual(experimentOf(folder, records).budget, budget)) return;
  if (records.some(({ type }) => type === "verdict")) {
    throw new UserError(`${folder}: the run is finished and takes no more budget; start a new run`);
  }
  journal.append({ type: "budget", budget });
}

/** The clock of a run that goes on from its last record. */
function clockOf(records: readonly JournalRecord[], { budget }: Experiment): BudgetClock {
  const last = records.findLast((record) => "elapsedMs" in record);
  return new BudgetClock(budget, last?.elapsedMs ?? 0);
}

async function recordedTasks(
  folder: string,
  records: readonly JournalRecord[],
  opened: { readonly local: Experiment; readonly workspace: Workspace; readonly signal: AbortSignal | undefined },
): Promise<Task[]> {
  const { local, workspace, signal } = opened;
  const [start] = records;
  const tasks = await loadTasks(local, workspace.evaluator, signal);
  if (start?.type === "start") checkUnchanged(folder, start.identity, identify(workspace, tasks));
  for (const record of records) if (record.type === "parents") expectTensors(workspace, record);
  return tasks;
}
