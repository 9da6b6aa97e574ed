import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UserError } from "../errors.ts";
import { writeFileAtomic } from "../files/atomic-file.ts";
import { cannotWrite } from "../files/cannot-write.ts";
import { type JournalView, readJournal } from "../journal/journal.ts";
import { readGuardRows } from "../run/recorded/guard-rows.ts";
import type { ProvenTasksOptions } from "../run/recorded/proven-tasks.ts";
import { readBenchmarks } from "./benchmarks.ts";
import type { CommandFor } from "./next-steps.ts";
import { requireOwnFile } from "./own-file.ts";
import { PAGE_MARK } from "./page/document.ts";
import { runPage } from "./page/run-page.ts";
import { PLOT_MARK, plotFile } from "./plots/plot-file.ts";
import { allPlots } from "./plots/plots-of.ts";
import type { GuardRows } from "./view/row-changes.ts";
import { type RunView, viewRun } from "./view/run-view.ts";

export interface ReportOptions extends ProvenTasksOptions {
  /** How the commands are worded that the report tells. */
  readonly commandFor?: CommandFor | undefined;
}

/** Files of a report, by absolute paths. */
export interface WrittenReport {
  readonly page: string;
  /** The plots of the page, each by itself, for papers. */
  readonly plots: readonly string[];
}

/** What there is to see of a run at any state, read without disturbing it; texts of rows only where these are as the run began with them. */
export async function readRunView(folder: string, { commandFor, ...options }: ReportOptions = {}): Promise<RunView> {
  const view = readJournal(folder);
  const guardRows = await guardRowsOrWhyNot(folder, view, options);
  const benchmarks = await readBenchmarks(folder);
  return viewRun(folder, view, { benchmarks, guardRows, ...(commandFor && { commandFor }) });
}

/**
 * Writes report.html, a page by itself, and its plots as SVG into a run's folder, made anew from its journal at any state of the
 * run. A UserError where a file of somebody else has such a name.
 */
export async function writeReport(folder: string, options: ReportOptions = {}): Promise<WrittenReport> {
  const view = await readRunView(folder, options);
  const place = resolve(folder);
  const page = join(place, "report.html");
  const plots = allPlots(view).map((plot) => ({ plot, path: join(place, "plots", `${plot.name}.svg`) }));
  await requireOwnFile(page, PAGE_MARK);
  for (const { path } of plots) await requireOwnFile(path, PLOT_MARK);
  await writeFileAtomic(page, await runPage(view));
  if (plots.length > 0) await makeFolder(join(place, "plots"));
  for (const { plot, path } of plots) await writeFileAtomic(path, await plotFile(plot));
  return { page, plots: plots.map(({ path }) => path) };
}

/** The rows of the verdict, or why they are not at hand. */
export async function guardRowsOrWhyNot(
  folder: string,
  { records }: JournalView,
  options: ProvenTasksOptions = {},
): Promise<GuardRows | string> {
  try {
    return await readGuardRows(folder, records, options);
  } catch (error) {
    // Who says where they are is told that they are not there.
    if (error instanceof UserError && !options.moved) return error.message;
    throw error;
  }
}

async function makeFolder(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}
