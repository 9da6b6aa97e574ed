import { printableLine } from "../../files/printable.ts";
import { writeComparePage } from "../../report/compare/compare-page.ts";
import { compareRuns } from "../../report/compare/compare-runs.ts";
import { compareText } from "../../report/compare/compare-text.ts";
import { interruptionSignal } from "../interruption.ts";
import { print, printJson, resultWidth } from "../output.ts";

export interface CompareCommandOptions {
  readonly page?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `evomerge compare`: runs beside each other, as tables and as a page. */
export async function compareCommand(folders: readonly string[], { page, json }: CompareCommandOptions): Promise<void> {
  const comparison = await compareRuns(folders, { signal: interruptionSignal() });
  const path = page === undefined ? undefined : await writeComparePage(comparison, page);
  if (json) printJson({ ...comparison, ...(path !== undefined && { page: path }) });
  else print(compareText(comparison, resultWidth()));
  if (!json && path !== undefined) print(`page: ${printableLine(path)}`);
}
