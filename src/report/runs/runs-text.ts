import { printableLine } from "../../files/printable.ts";
import { briefDuration } from "../duration.ts";
import { alignedText } from "../table.ts";
import type { RunList, UnreadableRun } from "./list-runs.ts";
import type { FoundGain, RunStatus } from "./run-status.ts";

/** A line for each run, then a line for each that cannot be read. */
export function runsText(folder: string, { runs, leftOut }: RunList): string {
  const readable = runs.filter((run) => run.state !== "unreadable");
  const faults = runs.filter((run) => run.state === "unreadable");
  const header = ["began", "state", "time", "scored", "found", "run"];
  return [
    ...(runs.length === 0 ? [printableLine(`no runs in ${folder}`)] : []),
    ...(readable.length > 0 ? [alignedText({ header, rows: readable.map(cells) }, { left: [0, 1, 4, 5] })] : []),
    ...(readable.length > 0 && faults.length > 0 ? [""] : []),
    ...faults.map(faultLine),
    ...(leftOut > 0 ? [`and ${leftOut} more, written before these, which a list of so much does not read`] : []),
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
  return printableLine(`${name} is unreadable: ${why}`);
}
