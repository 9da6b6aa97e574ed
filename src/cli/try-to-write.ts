/** Files that are made from a journal at the end of other commands, which do not fail for want of them: `evomerge report` makes them anew. */
import { UserError } from "../errors.ts";
import { writeReport, type WrittenReport } from "../report/write-report.ts";
import { writeTables } from "../report/write-tables.ts";
import { commandFor } from "./invocation.ts";
import { tell } from "./output.ts";

export async function tryToWriteTables(folder: string): Promise<void> {
  try {
    await writeTables(folder, commandFor);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    tell(`note: tables were not written: ${error.message}`);
  }
}

/** Once the result is out: whatever comes of the page, the result stands. Undefined where it was not written. */
export async function tryToWriteReport(folder: string, signal: AbortSignal): Promise<WrittenReport | undefined> {
  try {
    return await writeReport(folder, { commandFor, signal });
  } catch (error) {
    const why = signal.aborted ? "interrupted" : error instanceof Error ? error.message : String(error);
    tell(`note: the report was not written: ${why}; make it with:`, commandFor("report", folder));
    return undefined;
  }
}
