import { shellPath } from "../files/shell-word.ts";
import type { FrontMember, JournalRecord } from "../journal/records.ts";
import { standingOf } from "../journal/standing.ts";
import { GRADIENT_PASSES, recordedOptimizer } from "../search/optimizers.ts";
import { budgetOption } from "./duration.ts";
import { budgetOf } from "./run-facts.ts";

/** A command about a run's folder, as a shell takes it. */
export type CommandFor = (command: string, folder: string) => string;

/** Of the installed program. */
export const installedCommand: CommandFor = (command, folder) => `evomerge ${command} ${shellPath(folder)}`;

/** What can be done next with a run: the commands, and what for. */
export function nextSteps(
  folder: string,
  records: readonly JournalRecord[],
  commandFor: CommandFor,
): [string, string][] {
  const { winner, front } = standingOf(records);
  if (!winner) return [[commandFor("resume", folder), "go on"]];
  return [
    [commandFor("export", folder), "write the winner as a Hugging Face folder"],
    ...pickOfFront(front, commandFor("export", folder)),
    [commandFor("evaluate", folder), "lm_eval on the winner and its parents"],
    ...moreBudget(folder, records, commandFor),
  ];
}

/** Where there is a front, how another of its merges than the winner is had. */
function pickOfFront(front: readonly FrontMember[] | undefined, exported: string): [string, string][] {
  if (!front) return [];
  return [[`${exported} --pick knee`, "or its knee, the best on a task, or another place on the front"]];
}

function moreBudget(folder: string, records: readonly JournalRecord[], commandFor: CommandFor): [string, string][] {
  const budget = budgetOf(records);
  if (!budget) return [];
  const isTimed = "seconds" in budget;
  const twice = 2 * (isTimed ? 1000 * budget.seconds : budget.evaluations);
  const least = isTimed ? leastMs(records) : leastEvaluations(records);
  const enough = Math.max(twice, least);
  const option = isTimed ? budgetOption(enough) : `--evaluations ${enough}`;
  const what = enough === twice ? "search on, with twice the budget" : "search, with a budget that has room for it";
  return [[`${commandFor("resume", folder)} ${option}`, what]];
}

/** What has room for everything, as a run expected that had none for a generation. */
function leastMs(records: readonly JournalRecord[]): number {
  const forecast = records.findLast((record) => record.type === "forecast");
  return standingOf(records).generations > 0 ? 0 : (forecast?.wholeMs ?? 0);
}

/** What those generations took that were scored, and another as large as the largest. */
function leastEvaluations(records: readonly JournalRecord[]): number {
  const plan = records.findLast((record) => record.type === "plan");
  if (!plan) return 0;
  const sizes = records.flatMap((record) => (record.type === "result" ? [record.losses.length] : []));
  const next = Math.max(plan.candidates, ...sizes);
  const passes = recordedOptimizer(plan.algorithm)?.usesGradients ? GRADIENT_PASSES : 1;
  return sizes.reduce((sum, size) => sum + size, next) * passes;
}
