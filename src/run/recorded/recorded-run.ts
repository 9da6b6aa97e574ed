/** What the journal of a run says of its experiment and its budgets. */
import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors.ts";
import type { Budget, Experiment } from "../../experiment/experiment.ts";
import { inPrecisionOf } from "../../experiment/identity.ts";
import type { Workspace } from "../../experiment/workspace.ts";
import type { Journal } from "../../journal/journal.ts";
import { isPart, type JournalRecord, stepOf } from "../../journal/records.ts";
import { elapsedMsOf } from "../../journal/elapsed.ts";
import type { Spent } from "../time/budget-clock.ts";
import { evaluationsIn } from "../estimates/search-kind.ts";
import { located, tellingsOf } from "./told-places.ts";

/**
 * The recorded experiment under the last budget that it was given, in the precision that it began in, with models and rows
 * where they are now, as far as that is known.
 */
export function experimentOf(folder: string, records: readonly JournalRecord[]): Experiment {
  const experiment = located(tellingsOf(folder, records), folder);
  const last = records.findLast((record) => record.type === "budget");
  const [start] = records;
  return inPrecisionOf(
    start?.type === "start" ? start.identity : {},
    last ? { ...experiment, budget: last.budget } : experiment,
  );
}

/** What of its time is over, and what of that was spent on generations, one that is under way included. */
export function spentOf(records: readonly JournalRecord[]): Spent {
  let [searchedMs, beganMs] = [0, 0];
  for (const record of records) {
    const isScored = record.type === "result" || (isPart(record) && stepOf(record) === "result");
    if (isScored) searchedMs += record.elapsedMs - beganMs;
    if (isScored || record.type === "plan") beganMs = record.elapsedMs;
  }
  return { elapsedMs: elapsedMsOf(records), searchedMs };
}

/** Into how many parts the run has dealt the rows of its gradients at least, since it began. */
export function gradientPartsOf([start]: readonly JournalRecord[]): number | undefined {
  return start?.type === "start" ? start.parts : undefined;
}

/** Remembers another budget, so that a later resumption needs not be told again. */
export function rememberBudget(journal: Journal, budget: Budget): void {
  const { folder, records } = journal;
  if (!isDeepStrictEqual(experimentOf(folder, records).budget, budget)) journal.append({ type: "budget", budget });
}

/**
 * A UserError where the run has used what another budget allows: it would end at once. Evaluations that are all used leave
 * the finish to do, which does not count in them.
 */
export function requireMore(folder: string, records: readonly JournalRecord[], budget: Budget): void {
  if (isDeepStrictEqual(experimentOf(folder, records).budget, budget)) return;
  const [given, used, unit] =
    "seconds" in budget
      ? ([budget.seconds, elapsedMsOf(records) / 1000, "s"] as const)
      : ([budget.evaluations, evaluationsOf(records), "evaluations"] as const);
  const isFinishLeft = "evaluations" in budget && !records.some(({ type }) => type === "verdict");
  if (given > used || (isFinishLeft && given === used)) return;
  throw new UserError(
    `${folder}: expected a budget of ${isFinishLeft ? "at least" : "more than"} the ${Math.ceil(used)} ${unit} that the run has used, which count in it, found ${given} ${unit}`,
  );
}

/** What the search has scored, as a budget counts it. */
export function evaluationsOf(records: readonly JournalRecord[]): number {
  return records.reduce(
    (sum, record) =>
      record.type === "result"
        ? sum + evaluationsIn({ candidates: record.losses.length, usesGradients: record.gradients !== undefined })
        : sum,
    0,
  );
}

/** A sentence where another engine, or another library of its products, goes on with a run: sums round otherwise there. */
export function engineChange(
  records: readonly JournalRecord[],
  { engine }: Pick<Workspace, "engine">,
): string | undefined {
  const [start] = records;
  const before = start?.type === "start" ? start.versions["engine"] : undefined;
  if (before === undefined || before === engine.name) return undefined;
  return `this run began on ${before}; what is scored from here on is scored by ${engine.name}, whose losses may differ in their last digits`;
}
