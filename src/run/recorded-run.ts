/** What the journal of a run says of its experiment and its budgets. */
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../errors.ts";
import type { Budget, Experiment } from "../experiment/experiment-file.ts";
import { inPrecisionOf } from "../experiment/identity.ts";
import { recordedExperiment } from "../experiment/recorded-experiment.ts";
import type { Journal } from "../journal/journal.ts";
import type { JournalRecord } from "../journal/records.ts";
import { located, withPlaces } from "./places.ts";

/**
 * The recorded experiment under the last budget that it was given, in the precision that it began in, with models and rows
 * where they are now, as far as that is known.
 */
export function experimentOf(folder: string, records: readonly JournalRecord[]): Experiment {
  const [start] = records;
  if (start?.type !== "start") return recordedExperiment(folder, undefined);
  let experiment = located(recordedExperiment(folder, start.experiment), { from: start.folder, to: folder });
  for (const record of records) {
    if (record.type === "moved")
      experiment = located(withPlaces(folder, experiment, record), { from: record.folder, to: folder });
  }
  const last = records.findLast((record) => record.type === "budget");
  return inPrecisionOf(start.identity, last ? { ...experiment, budget: last.budget } : experiment);
}

/** Milliseconds that a run has taken, as far as it is recorded. */
export function elapsedMsOf(records: readonly JournalRecord[]): number {
  return records.findLast((record) => "elapsedMs" in record)?.elapsedMs ?? 0;
}

/**
 * Remembers another budget, so that a later resumption needs not be told again. A UserError where a run is finished and
 * has used that much already.
 */
export function takeBudget(journal: Journal, budget: Budget): void {
  const { folder, records } = journal;
  if (isDeepStrictEqual(experimentOf(folder, records).budget, budget)) return;
  if (records.some(({ type }) => type === "verdict")) checkLeft(folder, records, budget);
  journal.append({ type: "budget", budget });
}

function checkLeft(folder: string, records: readonly JournalRecord[], budget: Budget): void {
  const [given, used, unit] =
    "seconds" in budget
      ? ([budget.seconds, elapsedMsOf(records) / 1000, "s"] as const)
      : ([budget.evaluations, evaluationsOf(records), "evaluations"] as const);
  if (given > used) return;
  throw new UserError(
    `${folder}: expected a budget of more than the ${Math.ceil(used)} ${unit} that the run has used, which count in it, found ${given} ${unit}`,
  );
}

/** Candidates and means that the search has scored. */
function evaluationsOf(records: readonly JournalRecord[]): number {
  return records.reduce((sum, record) => sum + (record.type === "result" ? record.losses.length + 1 : 0), 0);
}
