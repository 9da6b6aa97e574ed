import { EVOLVED, type Gain, type GuardedModel } from "../journal/records.ts";
import type { Table } from "./table.ts";

/** Two-sided p-value below which a difference on the guard rows is called significant. */
const SIGNIFICANT = 0.05;

/** Every model on the guard rows: each task with its 95 % interval, the tasks combined, and the winner's gain over it. */
export function verdictTable(models: readonly GuardedModel[], tasks: readonly string[]): Table {
  const hasAccuracy = (task: string): boolean => models.some(({ scores }) => scores[task]?.accuracy !== undefined);
  const header = [
    "model",
    ...tasks.flatMap((task) => [`${task} loss`, ...(hasAccuracy(task) ? [`${task} accuracy`] : [])]),
    "combined",
    "winner's gain",
    "p",
    "winner is",
  ];
  const rows = models.map((model) => [
    model.name,
    ...tasks.flatMap((task) => [lossCell(model, task), ...(hasAccuracy(task) ? [accuracyCell(model, task)] : [])]),
    model.loss.toFixed(3),
    ...(model.gains ? gainCells(model.gains.combined) : ["", "", ""]),
  ]);
  return { header, rows };
}

/** Whether the search found anything, then one sentence a model: how the winner compares with it. */
export function verdictSentences(models: readonly GuardedModel[]): string[] {
  const winner = models.find(({ kind }) => kind === "winner");
  const found = winner === undefined || winner.name === EVOLVED;
  return [
    ...(found ? [] : [`The search found nothing better than ${winner.name}, which is the winner.`]),
    ...models.flatMap(({ name, gains }) => (gains ? [comparison(name, gains)] : [])),
  ];
}

/** What it means that the guard rows have judged earlier winners of the run too; nothing for the first. */
export function looksSentences(looks: number): string[] {
  if (looks < 2) return [];
  const times = looks === 2 ? "twice" : `${looks} times`;
  return [
    `The guard rows were looked at ${times}, once for each winner that the run has had; p-values are of one look, so the last ones are a little too sure.`,
  ];
}

/** How the winner compares with another model. */
export type Judgement = "better" | "worse" | "neither";

const inWords: Readonly<Record<Judgement, string>> = {
  better: "significantly better than",
  worse: "significantly worse than",
  neither: "neither significantly better nor worse than",
};

function comparison(name: string, { combined, tasks }: NonNullable<GuardedModel["gains"]>): string {
  const sentence = `The winner is ${inWords[judgement(combined)]} ${name}`;
  const each = Object.entries(tasks).map(([task, gain]) => `${task}: ${judgement(gain)}`);
  return each.length === 1 ? `${sentence}.` : `${sentence} on the tasks combined (${each.join(", ")}).`;
}

function lossCell({ scores, intervals }: GuardedModel, task: string): string {
  const [low, high] = intervals[task] ?? [Number.NaN, Number.NaN];
  return `${scores[task]?.loss.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

function accuracyCell({ scores }: GuardedModel, task: string): string {
  const accuracy = scores[task]?.accuracy;
  return accuracy === undefined ? "" : accuracy.toFixed(3);
}

/** A gain with its interval, its p-value, and what that says of the winner. */
export function gainCells(gain: Gain, decimals = 3): string[] {
  const [low, high] = gain.interval.map((value) => signed(value, decimals));
  return [`${signed(gain.gain, decimals)} [${low}, ${high}]`, gain.pValue.toFixed(4), judgement(gain)];
}

/** Whether the winner is significantly better or worse. */
export function judgement({ gain, pValue }: Gain): Judgement {
  if (!(pValue < SIGNIFICANT)) return "neither";
  return gain > 0 ? "better" : "worse";
}

function signed(value: number, decimals: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(decimals)}`;
}
