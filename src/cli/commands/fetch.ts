import { loadExperiment } from "../../experiment/experiment-file.ts";
import { tellEqualParents } from "../../experiment/equal-weights.ts";
import { examineParents, fetchSources, planSources } from "../../experiment/fetch-sources.ts";
import { resolveSources } from "../../experiment/sources.ts";
import { bytesText } from "../../files/bytes-text.ts";
import { printableLine } from "../../files/printable.ts";
import { openHub } from "../../hub/api/hub.ts";
import type { FetchPlan } from "../../hub/transfer/plan-fetch.ts";
import { alignedText } from "../../report/text/text-table.ts";
import { wrapped } from "../../report/text/wrapped.ts";
import { Interrupted, interruptedFetching, interruptionSignal } from "../interruption.ts";
import { print, printJson, printSentence, resultWidth, tell } from "../output.ts";
import { Progress } from "../progress.ts";

export interface FetchCommandOptions {
  /** Whether to say what would be fetched, and fetch no weight. */
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/** `evomerge fetch`: brings the models and rows of an experiment to this machine, or says what that would take. */
export async function fetchCommand(file: string, { dryRun, json }: FetchCommandOptions): Promise<void> {
  const experiment = await loadExperiment(file);
  const hub = await openHub();
  const progress = new Progress();
  const options = {
    signal: interruptionSignal(),
    onNotice: (text: string): void => progress.show({ type: "notice", text }),
    onProgress: (done: { readonly doneBytes: number; readonly totalBytes: number }): void =>
      progress.show({ type: "fetching", ...done }),
  };
  try {
    const sources = await resolveSources(experiment, hub, options);
    const plan = await planSources(sources, hub);
    // Before the files of a gated model are asked for, which may be refused.
    if (!json) print(planText(plan, resultWidth()));
    // Without --dry-run the first of them is the error that fetching ends with.
    const findings = dryRun ? await examineParents(sources, hub, options) : [];
    const cannotScore = findings.filter(({ verdict }) => verdict === "fault").map(({ text }) => text);
    if (json) printJson({ ...plan, cannotScore });
    else for (const line of cannotScore) printSentence(line);
    if (!dryRun) await tellEqualParents(await fetchSources(sources, hub, options), options);
  } catch (error) {
    progress.end();
    if (error instanceof Interrupted) tell(interruptedFetching);
    throw error;
  }
  progress.end();
}

/** What fetching takes: bytes by repository, and what the disk has left. */
export function planText({ repositories, missingBytes, freeBytes, cache }: FetchPlan, width = Infinity): string {
  if (repositories.length === 0) return "nothing to fetch: the experiment names no model and no rows of the Hub";
  const rows = repositories.map(({ name, commit, files, bytes, presentBytes }) => [
    name,
    commit.slice(0, 12),
    String(files),
    bytesText(bytes),
    bytesText(bytes - presentBytes),
  ]);
  const left = freeBytes - missingBytes;
  const room = left >= 0 ? `leaves ${bytesText(left)} free` : `does not fit: ${bytesText(-left)} are missing`;
  const header = ["repository", "commit", "files", "size", "to fetch"];
  const sum = `${bytesText(missingBytes)} to fetch; of ${bytesText(freeBytes)} free at ${cache} that ${room}`;
  return [
    alignedText({ header, rows }, { width, spare: [2, 1] }),
    "",
    ...wrapped(printableLine(sum), width, { indent: 2 }),
  ].join("\n");
}
