import { relative } from "node:path";
import { exportRun } from "../../export/export-run.ts";
import { loadExperiment, withOverrides, type Budget, type EngineName } from "../../experiment/experiment-file.ts";
import { newRunFolder } from "../../experiment/run-folder.ts";
import { launchRun, resumeRun, type Outcome, type RunOptions } from "../../experiment/run-experiment.ts";
import { writeTables } from "../../report/write-tables.ts";
import { Interrupted, interruptionSignal } from "../interruption.ts";
import { outcomeText } from "../outcome-text.ts";
import { Progress } from "../progress.ts";
import { exportText } from "./export.ts";

export interface FinishOptions {
  /** Whether to export the winner at the end. */
  readonly export?: boolean | undefined;
  readonly json?: boolean | undefined;
}

export interface RunCommandOptions extends FinishOptions {
  readonly out?: string | undefined;
  readonly budget?: Budget | undefined;
  readonly engine?: EngineName | undefined;
  readonly seed?: number | undefined;
}

/** `evomerge run`: launches an experiment and prints its verdict. */
export async function runCommand(file: string, options: RunCommandOptions): Promise<void> {
  const experiment = withOverrides(await loadExperiment(file), options);
  const folder = options.out ?? newRunFolder("results", experiment.name);
  await carryThrough(folder, options, (running) => launchRun(experiment, folder, running));
}

/** `evomerge resume`: goes on with an interrupted run. */
export async function resumeCommand(
  folder: string,
  options: FinishOptions & { readonly budget?: Budget | undefined },
): Promise<void> {
  const { budget } = options;
  await carryThrough(folder, options, (running) => resumeRun(folder, { ...running, budget }));
}

/** Runs to the end, or to the interruption, and leaves tables and results either way. */
async function carryThrough(
  folder: string,
  options: FinishOptions,
  run: (options: RunOptions) => Promise<Outcome>,
): Promise<void> {
  const progress = new Progress();
  try {
    const outcome = await run({ onEvent: progress.show, signal: interruptionSignal() });
    progress.end();
    await writeTables(folder);
    const exported = options.export ? await exportRun(folder, { onEvent: progress.show }) : undefined;
    const printed = options.json ? JSON.stringify(exported ?? outcome) : outcomeText(outcome);
    process.stdout.write(`${printed}\n`);
    if (!options.json) process.stdout.write(exported ? exportText(exported) : nextSteps(folder));
  } catch (error) {
    progress.end();
    if (error instanceof Interrupted) await writeTables(folder);
    if (error instanceof Interrupted)
      process.stderr.write(`interrupted; go on with: evomerge resume ${relative("", folder)}\n`);
    throw error;
  }
}

function nextSteps(folder: string): string {
  return `\nexport the winner with: evomerge export ${relative("", folder)}\n`;
}
