import { existsSync } from "node:fs";
import { join } from "node:path";
import { exportIn } from "../../export/export-in.ts";
import { checkExportPlace, exportRun } from "../../export/export-run.ts";
import type { EngineName } from "../../device/engine-names.ts";
import type { PluginName } from "../../files/plugin-name.ts";
import { loadExperiment } from "../../experiment/experiment-file.ts";
import { withOverrides, type Budget, type StartingKind } from "../../experiment/experiment.ts";
import { readJournal } from "../../journal/journal.ts";
import { experimentOf } from "../../run/recorded/recorded-run.ts";
import { newRunFolder, removeUnused } from "../../run/run-folder.ts";
import type { RunEvent } from "../../run/session/events.ts";
import { launchRun } from "../../run/launch-run.ts";
import { resumeRun } from "../../run/resume-run.ts";
import type { Outcome } from "../../run/carry-on.ts";
import type { RunOptions } from "../../run/run-options.ts";
import { budgetOption } from "../../report/duration.ts";
import { Interrupted, interruptedFetching, interruptionSignal } from "../interruption.ts";
import { commandFor } from "../invocation.ts";
import { loggedRun, makeFolderFor } from "../logged-run.ts";
import { type MovedOptions, movedPlaces } from "../options/moved-options.ts";
import { outcomeJson } from "../outcome-json.ts";
import { outcomeText } from "../outcome-text.ts";
import { print, printJson, printSentence, resultWidth, tell } from "../output.ts";
import { tryToWriteReport, tryToWriteTables } from "../try-to-write.ts";
import { withWorkers, type WorkersOptions } from "../with-workers.ts";
import { watchBeside } from "../../watch/watch-beside.ts";
import type { WatchedRun } from "../../watch/watch-run.ts";
import { eventLines } from "../event-lines.ts";
import { Progress } from "../progress.ts";
import { openScalarFolder } from "../tensorboard/scalar-folder.ts";
import { ScalarLog } from "../tensorboard/scalar-log.ts";
import { printExport } from "./export.ts";

export interface FinishOptions {
  /** Whether to export the winner at the end. */
  readonly export?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** File to which events are appended. */
  readonly events?: string | undefined;
  /** Folder for the scalars of the run, as TensorBoard reads them. */
  readonly tensorboard?: string | undefined;
  /** Whether to show the run in the browser meanwhile. */
  readonly watch?: boolean | undefined;
}

export interface RunCommandOptions extends FinishOptions, WorkersOptions {
  readonly out?: string | undefined;
  readonly budget?: Budget | undefined;
  readonly engine?: EngineName | PluginName | undefined;
  readonly seed?: number | undefined;
  /** Folder of an earlier run to begin from, and what to take of it. */
  readonly from?: string | undefined;
  readonly take?: StartingKind | undefined;
}

/** `evomerge run`: launches an experiment and prints its verdict. */
export async function runCommand(file: string, options: RunCommandOptions): Promise<void> {
  const experiment = withOverrides(await loadExperiment(file), options);
  const folder = options.out ?? newRunFolder("results", experiment.name);
  try {
    makeFolderFor(options.events);
    await carryThrough(folder, { ...options, isNew: true }, (running) =>
      withWorkers(experiment.name, options, running, (own) => launchRun(experiment, folder, own)),
    );
  } finally {
    if (options.out === undefined) removeUnused(folder);
  }
}

/** `evomerge resume`: goes on with an interrupted run, or with a finished one that is given more budget. */
export async function resumeCommand(
  folder: string,
  options: FinishOptions & MovedOptions & WorkersOptions & { readonly budget?: Budget | undefined },
): Promise<void> {
  const { budget } = options;
  const moved = movedPlaces(options);
  // Workers wait for runs of an experiment by its name.
  const name = options.redis === undefined ? "" : experimentOf(folder, readJournal(folder).records).name;
  await carryThrough(folder, { ...options, isNew: false }, (running) =>
    withWorkers(name, options, running, (own) => resumeRun(folder, { ...own, budget, moved })),
  );
}

/** Runs to the end, or to the interruption, and leaves the tables either way. */
async function carryThrough(
  folder: string,
  options: FinishOptions & { readonly isNew: boolean },
  run: (options: RunOptions) => Promise<Outcome>,
): Promise<void> {
  const progress = new Progress(eventLines);
  const onFailure = (text: string): void => progress.show({ type: "notice", text });
  await loggedRun({ folder, events: options.events, onFailure }, async (log) => {
    using scalars = await openScalars(folder, options, progress);
    await using _ = options.watch ? await showMeanwhile(folder, progress) : undefined;
    let wholeMs: number | undefined;
    const onEvent = (event: RunEvent, elapsedMs?: number): void => {
      log?.write(event, elapsedMs);
      scalars?.write(event);
      // Of a budget of evaluations the line that says that there was no room says how many a generation takes.
      if (event.type === "forecast" && Number.isFinite(event.budgetMs)) ({ wholeMs } = event);
      progress.show(event, elapsedMs);
    };
    const running = { onEvent, exports: options.export, signal: interruptionSignal() };
    try {
      if (options.export) await checkExportPlace(folder, running);
      const outcome = await run(running);
      progress.end();
      await leaveResults(outcome, { ...options, running, wholeMs, progress });
      return { winner: outcome.winner.name };
    } catch (error) {
      progress.end();
      if (error instanceof Interrupted) await leave(folder, options);
      throw error;
    }
  });
}

/** What a run that has ended leaves: its verdict, tables, export, page, and what to do next. */
async function leaveResults(
  outcome: Outcome,
  {
    running,
    wholeMs,
    progress,
    ...options
  }: FinishOptions & {
    readonly running: RunOptions & { readonly signal: AbortSignal };
    /** A budget of time that has room for everything. */
    readonly wholeMs: number | undefined;
    readonly progress: Progress<RunEvent>;
  },
): Promise<void> {
  const { folder } = outcome;
  // Before tables and export, which may fail.
  if (!options.json) print(`${outcomeText(outcome, resultWidth())}\n`);
  await tryToWriteTables(folder);
  const exported = options.export ? await exportRun(folder, running) : undefined;
  progress.end();
  if (options.json) printJson(outcomeJson(exported ?? outcome));
  else if (exported) printExport(exported);
  else await printNextStep(outcome);
  if (!options.json && outcome.generations === 0 && wholeMs !== undefined)
    printSentence(
      "search with:",
      `${commandFor("resume", folder)} ${budgetOption(wholeMs)}${options.export ? " --export" : ""}`,
    );
  await leaveReport(folder, running.signal, options);
}

/** Opens the folder of scalars, where there is to be one, before anything is fetched or scored. */
async function openScalars(
  folder: string,
  { tensorboard, isNew }: FinishOptions & { readonly isNew: boolean },
  progress: Progress,
): Promise<ScalarLog | undefined> {
  if (tensorboard === undefined) return undefined;
  const opened = await openScalarFolder(tensorboard, folder, isNew);
  return new ScalarLog(opened, (text) => progress.show({ type: "notice", text }));
}

/** Shows the run in the browser, from before there is anything of it. */
async function showMeanwhile(folder: string, progress: Progress<RunEvent>): Promise<WatchedRun> {
  const notice = (text: string): void => progress.show({ type: "notice", text });
  const onEnd = (why: string): void => notice(`the run is not shown any more, but goes on: ${why}`);
  const watched = await watchBeside(folder, { commandFor, onEnd });
  notice(`the run is shown at ${watched.address}`);
  return watched;
}

/** Leaves a page to look at, behind everything that the budget and the result are of. */
async function leaveReport(folder: string, signal: AbortSignal, { json }: FinishOptions): Promise<void> {
  const written = await tryToWriteReport(folder, signal);
  if (written && !json) printSentence("report:", written.page);
}

/** Says how to go on; before the search there is no journal yet. */
async function leave(folder: string, options: FinishOptions): Promise<void> {
  if (!existsSync(join(folder, "journal.jsonl"))) {
    tell(interruptedFetching);
    return;
  }
  await tryToWriteTables(folder);
  tell("interrupted; go on with:", `${commandFor("resume", folder)}${options.export ? " --export" : ""}`);
}

/** Says how to export the winner, or where it is. */
async function printNextStep({ folder, winner }: Outcome): Promise<void> {
  const best = join(folder, "best");
  const found = await exportIn(best, winner.recipe);
  if (found === "this") return printSentence("the winner is exported:", best);
  const place = found === "another" ? `, in the place of an earlier one in ${best},` : "";
  printSentence(`export the winner${place} with:`, commandFor("export", folder));
}
