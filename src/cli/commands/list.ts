import { listRuns } from "../../report/runs/list-runs.ts";
import { runsText } from "../../report/runs/runs-text.ts";
import { print, printJson, resultWidth } from "../output.ts";

/** `evomerge list`: how the runs of a folder stand. */
export function listCommand(folder: string, { json }: { readonly json?: boolean | undefined }): void {
  const list = listRuns(folder);
  if (json) printJson(list);
  else print(runsText(folder, list, resultWidth()));
}
