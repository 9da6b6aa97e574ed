import { printableLine } from "../../files/printable.ts";
import type { JournalRecord } from "../../journal/records.ts";
import { duration } from "../duration.ts";
import { type CommandFor, nextSteps } from "../next-steps.ts";
import { alignedText } from "../text/text-table.ts";
import { columnsOf } from "../text/columns.ts";
import { wrapped } from "../text/wrapped.ts";
import { ShortNames } from "../view/short-text.ts";
import type { RunStatus } from "./run-status.ts";
import { gainInWords } from "./runs-text.ts";

/** How a run stands, a line a matter, then its baselines and the commands that come next, in lines of so many columns. */
export function statusText(
  status: RunStatus,
  records: readonly JournalRecord[],
  commandFor: CommandFor,
  width = Infinity,
): string {
  const { name, baselines } = status;
  const names = new ShortNames();
  const facts = statusFacts(status, names);
  const longest = Math.max(...facts.map(([label]) => label.length));
  const rows = baselines.map((model) => [names.of(model.name), model.loss?.toFixed(3) ?? ""]);
  return [
    ...wrapped(printableLine(`${name}: ${stateInWords(status)}`), width, { indent: 2 }),
    ...facts.flatMap(([label, value]) => wrapped(printableLine(value), width, { label: `${label.padEnd(longest)}  ` })),
    ...(rows.length > 0 ? ["", alignedText({ header: ["baseline", "combined loss"], rows }, { width })] : []),
    "",
    ...stepLines(statusSteps(status, records, commandFor), width),
  ].join("\n");
}

/** Commands, each with its purpose behind it, or above it where lines are short: a command is never broken. */
function stepLines(steps: readonly (readonly [command: string, purpose: string])[], width: number): string[] {
  const lines = steps.map(([command, purpose]) => printableLine(`${command}  # ${purpose}`));
  if (lines.every((line) => columnsOf(line) <= width)) return lines;
  return steps.flatMap(([command, purpose]) => [`# ${purpose}`, printableLine(command)]);
}

export function stateInWords({ state, writer }: RunStatus): string {
  switch (state) {
    case "running":
      return `going on, as process ${writer?.pid} on ${writer?.host}`;
    case "held":
      return `in use by ${writer?.inWords}`;
    case "unjudged":
      return "has a winner, which has not met the guard rows";
    case "interrupted":
      return "interrupted, and can be resumed";
    case "finished":
      return "finished";
    default:
      return state satisfies never;
  }
}

/** What is said of a run's state, and of what. */
export type StatusFact = readonly [label: string, value: string];

export function statusFacts({ found, ...status }: RunStatus, names: ShortNames): readonly StatusFact[] {
  const { began, phase, generations, evaluations, front } = status;
  const count = generations === 1 ? "1 generation" : `${generations} generations`;
  const than = found?.judgement === "neither" ? "better nor worse than" : "than";
  const facts: readonly (StatusFact | undefined)[] = [
    began === undefined ? undefined : ["began", `${began.slice(0, 16).replace("T", " ")} UTC`],
    ["time", timeText(status)],
    ["last step", phase],
    ["search", `${count}, ${evaluations} ${evaluations === 1 ? "evaluation" : "evaluations"}`],
    status.best && ["best", bestText(status.best, names)],
    front && ["front", frontText(front, names)],
    found && ["guard rows", `${gainInWords(found)} ${than} ${names.of(found.over)}`],
  ];
  return facts.filter((fact) => fact !== undefined);
}

function bestText({ name, loss, isCandidate }: NonNullable<RunStatus["best"]>, names: ShortNames): string {
  if (loss === null) return names.of(name);
  return `${names.of(name)}, combined loss ${loss.toFixed(3)}${isCandidate ? " on the rows of its generation" : ""}`;
}

function frontText({ members, picks }: NonNullable<RunStatus["front"]>, names: ShortNames): string {
  const named = picks.map(
    ({ name, isKnee, place, alike }) =>
      `${place} is ${isKnee ? "the knee" : `best on ${names.of(name)}`}${alike > 0 ? ` (alike: ${alike})` : ""}`,
  );
  return `${members === 1 ? "1 merge" : `${members} merges`}: ${named.join(", ")}`;
}

function timeText({ elapsedMs, budget, share }: RunStatus): string {
  const used = `${duration(elapsedMs)} up to the last step`;
  if (!budget || share === undefined) return used;
  const whole = "seconds" in budget ? duration(1000 * budget.seconds) : `${budget.evaluations} evaluations`;
  return `${used}; ${Math.round(100 * share)} % of the budget of ${whole}`;
}

/** Commands that fit the state, and what for. */
export function statusSteps(
  { folder, state, best }: RunStatus,
  records: readonly JournalRecord[],
  commandFor: CommandFor,
): readonly (readonly [command: string, purpose: string])[] {
  const report = [commandFor("report", folder), "make its page as it is now"] as const;
  const exportBest = [commandFor("export", folder), "write the best so far as a Hugging Face folder"] as const;
  const resume = [commandFor("resume", folder), "go on"] as const;
  switch (state) {
    case "running":
    case "held":
      return [...(best ? [exportBest] : []), report];
    case "interrupted":
      return [resume, ...(best ? [exportBest] : []), report];
    case "unjudged":
      return [
        [resume[0], "meet the guard rows, if the budget has time"],
        ...nextSteps(folder, records, commandFor),
        report,
      ];
    case "finished":
      return [...nextSteps(folder, records, commandFor), report];
    default:
      return state satisfies never;
  }
}
