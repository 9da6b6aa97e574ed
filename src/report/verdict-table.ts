import type { GuardedModel, RecordPayloads } from "../journal/records.ts";
import { type JudgedGain, type JudgedModel, type Judgement, judgeModels } from "./judgement.ts";
import type { Table } from "./table.ts";
import { taskColumns } from "./task-columns.ts";
import { signedInDecimals } from "./text/decimals.ts";

/** Groups of a task below which its intervals and p-values are rough (`bench/RESULTS.md`, "Coverage"). */
const FEW_GROUPS = 30;

/** Of tables with an interval that leaves out 0 beside "neither". */
export const UNCORRECTED =
  'P-values are corrected for the number of comparisons and intervals are not: one without 0 may stand beside "neither".';

/** Every model on the guard rows: the tasks combined, the winner's gain over it, and each task with its 95 % interval. `looks` is how many winners the guard rows have judged so far. */
export function verdictTable(models: readonly GuardedModel[], tasks: readonly string[], looks: number): Table {
  const columns = taskColumns(models, tasks);
  const header = ["model", "combined", "winner's gain", "p (Holm)", "winner is", ...columns.header];
  const judged = judgeModels(models, looks);
  const rows = models.map((model) => [
    model.name,
    model.loss.toFixed(3),
    ...gainCells(judged.get(model.name)?.combined),
    ...columns.cellsOf(model),
  ]);
  return { header, rows };
}

/** One sentence a model on how the winner compares with it, and what is rough. */
export function verdictSentences(
  { models, groups }: Pick<RecordPayloads["verdict"], "models" | "groups">,
  looks: number,
): string[] {
  const judged = judgeModels(models, looks);
  return [
    ...Array.from(judged, ([name, own]) => comparison(name, own)),
    ...uncorrected(Array.from(judged.values(), ({ combined }) => combined)),
    ...fewGroups(groups),
    ...severalLooks(looks),
  ];
}

function severalLooks(looks: number): string[] {
  if (looks < 2) return [];
  const times = looks === 2 ? "twice" : `${looks} times`;
  return [
    `The guard rows were looked at ${times}, for another winner or on more of them; p-values are corrected for that too.`,
  ];
}

const inWords: Readonly<Record<Judgement, string>> = {
  better: "significantly better than",
  worse: "significantly worse than",
  neither: "neither significantly better nor worse than",
};

function comparison(name: string, { combined, tasks }: JudgedModel): string {
  const each = Object.entries(tasks).map(([task, gain]) => `${task}: ${inShort(gain)}`);
  const { judgement, amount } = combined;
  if (isSame(combined)) return `The winner has the same loss as ${name} on every row.`;
  return [
    `The winner is ${inWords[judgement]} ${name}`,
    ...(each.length > 1 ? [" on the tasks combined"] : []),
    ...(amount === ""
      ? []
      : [`${amount.includes("less") ? ", but" : ","} ${amount}${amount.endsWith("times") ? "" : " of"} its loss`]),
    ...(each.length > 1 && judgement !== "neither" ? [` (${each.join(", ")})`] : []),
    ".",
  ].join("");
}

function fewGroups(groups: Readonly<Record<string, number>>): string[] {
  const few = Object.entries(groups).filter(([, count]) => count < FEW_GROUPS);
  if (few.length === 0) return [];
  // Rounded down, since 29.9 are not 30.
  const counts = few.map(([task, count]) => `${Math.floor(count)} of ${task}`).join(", ");
  return [
    `The guard rows tell as much as few groups of equal size (${counts}): with fewer than ${FEW_GROUPS}, intervals and p-values are rough.`,
  ];
}

/** What a reader may take for a contradiction: an interval without 0 beside "neither". */
function uncorrected(gains: readonly JudgedGain[]): string[] {
  return gains.some(isUncorrected) ? [UNCORRECTED] : [];
}

/** Whether a gain is called neither although its own interval is on one side of 0. */
export function isUncorrected({ judgement, interval: [low, high] }: JudgedGain): boolean {
  return judgement === "neither" && (low > 0 || high < 0);
}

/** A gain with its interval, its corrected p-value, and what that says of the winner; empty cells without one. */
export function gainCells(judged: JudgedGain | undefined, decimals = 3): string[] {
  if (!judged) return ["", "", ""];
  const [low, high] = judged.interval.map((value) => signedInDecimals(value, decimals));
  return [`${signedInDecimals(judged.gain, decimals)} [${low}, ${high}]`, judged.corrected.toFixed(4), inShort(judged)];
}

function inShort(judged: JudgedGain): string {
  const { judgement, amount } = judged;
  if (isSame(judged)) return "the same";
  return amount === "" ? judgement : `${judgement} ${amount}`;
}

/** An interval without width is that of models without any difference. */
function isSame({ interval }: JudgedGain): boolean {
  return interval[0] === 0 && interval[1] === 0;
}
