import type { Gain, GuardedModel } from "../journal/records.ts";

/** Cells as text, without layout. */
export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** Below this a difference on the guard rows is called one. */
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
export function alignedText({ header, rows }: Table): string {
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
  return [header, rule, ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** One sentence a baseline: whether the winner beats it, on all tasks combined and on each. */
export function verdictSentences(models: readonly GuardedModel[]): string[] {
  return models.flatMap(({ name, gains }) => {
    if (!gains) return [];
    const tasks = Object.entries(gains.tasks).map(([task, gain]) => `${task}: ${judgement(gain)}`);
    return [
      `The winner is ${judgement(gains.combined)} than ${name} on all tasks (${tasks.join(", ")}).`.replace(
        "no different than",
        "not significantly different from",
      ),
    ];
  });
}

function lossCell({ scores, intervals }: GuardedModel, task: string): string {
  const [low, high] = intervals[task] ?? [Number.NaN, Number.NaN];
  return `${scores[task]?.loss.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`;
}

function accuracyCell({ scores }: GuardedModel, task: string): string {
  const accuracy = scores[task]?.accuracy;
  return accuracy === undefined ? "" : accuracy.toFixed(3);
}

function gainCells(gain: Gain): string[] {
  const [low, high] = gain.interval;
  return [`${signed(gain.gain)} [${signed(low)}, ${signed(high)}]`, gain.pValue.toFixed(4), judgement(gain)];
}

function judgement({ gain, pValue }: Gain): "better" | "worse" | "no different" {
  if (!(pValue < SIGNIFICANT)) return "no different";
  return gain > 0 ? "better" : "worse";
}

function signed(value: number): string {
  return `${value < 0 ? "-" : "+"}${Math.abs(value).toFixed(3)}`;
}
