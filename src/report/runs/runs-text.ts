import { printableLine } from "../../files/printable.ts";
import { briefDuration } from "../duration.ts";
import { alignedText } from "../text/text-table.ts";
import { wrapped } from "../text/wrapped.ts";
import type { RunList, UnreadableRun } from "./list-runs.ts";
import type { FoundGain, RunStatus } from "./run-status.ts";

/** A line for each run, then what is said of each that cannot be read, in lines of so many columns. */
export function runsText(folder: string, { runs, leftOut }: RunList, width = Infinity): string {
  const readable = runs.filter((run) => run.state !== "unreadable");
  const faults = runs.filter((run) => run.state === "unreadable");
  const header = ["began", "state", "time", "scored", "found", "run"];
  const lines = (sentence: string): string[] => wrapped(printableLine(sentence), width, { indent: 2 });
  // The name of a run is what a person copies; when it began and what was scored, `status` says too.
  const layout = { width, left: [0, 1, 4, 5], spare: [0, 3, 2] };
  return [
    ...(runs.length === 0 ? lines(`no runs in ${folder}`) : []),
    ...(readable.length > 0 ? [alignedText({ header, rows: readable.map(cells) }, layout)] : []),
    ...(readable.length > 0 && faults.length > 0 ? [""] : []),
    ...faults.flatMap((fault) => lines(faultLine(fault))),
    ...(leftOut > 0 ? lines(`and ${leftOut} more, written before these, which a list of so much does not read`) : []),
  ].join("\n");
}

function cells(run: RunStatus): string[] {
  const { name, began, elapsedMs, budget, evaluations } = run;
  const time = briefDuration(elapsedMs);
  return [
    began?.slice(0, "2026-01-02".length) ?? "",
    stateCell(run),
    budget && "seconds" in budget ? `${time} of ${briefDuration(1000 * budget.seconds)}` : time,
    budget && "evaluations" in budget ? `${evaluations} of ${budget.evaluations}` : String(evaluations),
    foundCell(run),
    name,
  ];
}

function stateCell({ state, writer }: RunStatus): string {
  if (state === "running") return `runs as ${writer?.pid}`;
  return state === "held" ? "may run" : state;
}

function foundCell({ found, best }: RunStatus): string {
  if (found) return gainInWords(found);
  return best && best.loss !== null ? `loss ${best.loss.toFixed(3)}` : "";
}

/** As the report has it. */
export function gainInWords({ judgement, amount }: FoundGain): string {
  return amount === "" ? judgement : `${judgement} ${amount}`;
}

function faultLine({ name, why }: UnreadableRun): string {
  return `${name} is unreadable: ${why}`;
}
