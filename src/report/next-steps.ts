import { shellPath } from "../files/shell-word.ts";
import type { JournalRecord } from "../journal/records.ts";
import { standingOf } from "../journal/standing.ts";
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
  if (!standingOf(records).winner) return [[commandFor("resume", folder), "go on"]];
  return [
    [commandFor("export", folder), "write the winner as a Hugging Face folder"],
    [commandFor("evaluate", folder), "lm_eval on the winner and its parents"],
    ...moreBudget(folder, records, commandFor),
  ];
}

function moreBudget(folder: string, records: readonly JournalRecord[], commandFor: CommandFor): [string, string][] {
  const budget = budgetOf(records);
  if (!budget) return [];
  const option =
    "seconds" in budget ? budgetOption(2 * 1000 * budget.seconds) : `--evaluations ${2 * budget.evaluations}`;
  return [[`${commandFor("resume", folder)} ${option}`, "search on, with twice the budget"]];
}
