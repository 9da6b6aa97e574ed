import { printableLine } from "../files/printable.ts";
import { EVOLVED, type Gain, type GuardedModel } from "../journal/records.ts";

/** Cells as text, without layout. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

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

/** Columns padded to a common width, for a terminal. */
export function alignedText(table: Table): string {
  const header = table.header.map(printableLine);
  const rows = table.rows.map((row) => row.map(printableLine));
  const widths = header.map((cell, column) => Math.max(cell.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => (column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(header), line(widths.map((width) => "-".repeat(width))), ...rows.map(line)].join("\n");
}

/** The table in Markdown. */
export function markdownTable({ header, rows }: Table): string {
  const rule = header.map((_, column) => (column === 0 ? "---" : "---:"));
  return [header, rule, ...rows].map((cells) => `| ${cells.map(markdownCell).join(" | ")} |`).join("\n");
}

/** A cell that ends neither itself nor its line, whatever it says. */
function markdownCell(text: string): string {
  return printableLine(text).replaceAll(/[\\|]/g, "\\$&");
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
