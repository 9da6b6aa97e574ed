import { writeReport } from "../../report/write-report.ts";
import { writeTables } from "../../report/write-tables.ts";
import { interruptionSignal } from "../interruption.ts";
import { commandFor } from "../invocation.ts";
import { type MovedOptions, movedPlaces } from "../options/moved-options.ts";
import { printJson, printSentence } from "../output.ts";

export interface ReportCommandOptions extends Pick<MovedOptions, "rows" | "guard"> {
  readonly json?: boolean | undefined;
}

/** `evomerge report`: makes the report of a run and its tables anew, from its journal as it is now. */
export async function reportCommand(folder: string, { json, ...moved }: ReportCommandOptions): Promise<void> {
  await writeTables(folder, commandFor);
  const written = await writeReport(folder, { commandFor, moved: movedPlaces(moved), signal: interruptionSignal() });
  if (json) printJson(written);
  else printSentence("report:", written.page);
}
