import { readRunStatus } from "../../report/runs/run-status.ts";
import { statusText } from "../../report/runs/status-text.ts";
import { commandFor } from "../invocation.ts";
import { print, printJson, resultWidth } from "../output.ts";

/** `evomerge status`: how one run stands, and what comes next. */
export function statusCommand(folder: string, { json }: { readonly json?: boolean | undefined }): void {
  const { status, records } = readRunStatus(folder);
  if (json) printJson(status);
  else print(statusText(status, records, commandFor, resultWidth()));
}
