import { optimizers } from "../search/optimizers.ts";
import { describePrecision } from "../experiment/precision.ts";
import type { RunEvent } from "../run/events.ts";
import type { ModelLosses, RowCounts } from "../journal/records.ts";
import { budgetOption, duration } from "../report/duration.ts";
import { unitSentences } from "../report/search-sentences.ts";
import { noticeLines, searchEnd } from "./plain-lines.ts";

/** The lines by which a terminal or a log learns of an event; the verdict is a result and goes to standard output. */
export function eventLines(event: RunEvent): readonly string[] {
  switch (event.type) {
    case "opened":
      return [
        `${event.resumed ? "resuming" : "run"} ${event.folder}`,
        `engine: ${event.engine}, ${describePrecision(event.precision)}; ${event.why}`,
        `search space: ${event.genome}`,
        `rows: ${Object.entries(event.rows)
          .map(([task, { search, guard }]) => `${task} ${search} to search on, ${guard} on guard`)
          .join("; ")}`,
      ];
    case "baselines":
      return [
        "baselines (combined loss, 1 is the uniform average):",
        ...event.models.map((model) => `  ${modelLine(model)}${rowsText(model, event.models)}`),
        ...unitSentences(event),
        ...(event.skipped.length === 0 ? [] : [`no time for the baselines ${event.skipped.join(", ")}`]),
      ];
    case "forecast":
      return forecastLines(event);
    case "planned":
      return plannedLines(event);
    case "generation":
      return event.replayed ? [] : [generationLine(event)];
    case "restarted":
      return event.replayed ? [] : [restartLine(event)];
    case "finalists":
      return [...event.models.map((model) => `finalist ${modelLine(model)}`), `winner: ${event.winner}`];
    case "stopped":
      return [`${event.phase} stopped: ${event.why}`];
    case "skipped":
      return [`${event.phase} skipped: ${event.why}`];
    case "notice":
      return noticeLines(event);
    case "fetching":
    case "merging":
    case "pushing":
    case "progress":
    case "verdict":
    case "texts":
    case "exported":
      return [];
    default:
      return event satisfies never;
  }
}

/** How long the run will take, and what a budget that is too small would need to be. */
function forecastLines(event: Extract<RunEvent, { type: "forecast" }>): readonly string[] {
  const { baselinesMs, generationMs, finishMs, generations, budgetMs, wholeMs, isSmall, exports } = event;
  const fits = `${generations} ${generations === 1 ? "generation fits" : "generations fit"}`;
  const room = budgetMs === Infinity ? fits : `${fits} into the budget of ${duration(budgetMs)}`;
  return [
    `expected: baselines ${duration(baselinesMs)}, a generation ${duration(generationMs)}, finish${exports ? " and export" : ""} ${duration(finishMs)}; ${room}`,
    ...(isSmall
      ? [
          `the budget is small for these models and rows: ${smallText(generations)}; all of it and enough generations take ${budgetOption(wholeMs)}`,
        ]
      : []),
  ];
}

function smallText(generations: number): string {
  return generations === 0
    ? "no generation fits, so that the best of a few baselines will win"
    : "baselines, rows or finalists are left out for the search to have its half";
}

/** Where baselines were scored on different rows: on how many each was, which is what its loss is of. */
function rowsText({ rows }: { readonly rows: RowCounts }, all: readonly { readonly rows: RowCounts }[]): string {
  const counts = all.map((other) => countOf(other.rows));
  const [count, most] = [countOf(rows), Math.max(...counts)];
  if (counts.every((other) => other === most)) return "";
  return count === most ? `   (on ${count} rows)` : `   (on the first ${count} of them, where others did better)`;
}

function countOf(rows: RowCounts): number {
  return Object.values(rows).reduce((sum, own) => sum + own, 0);
}

/** What a generation has beside its candidates, whose loss is told as that of the mean. */
const BESIDE = {
  mean: "the mean is that of the distribution from which candidates are drawn: a merge too, and often better than all of them",
  "best so far": "told as the mean is the loss of the best so far, on the rows of the generation",
} as const;

/** What a generation is, and in what its work is told. */
function plannedLines({ algorithm, candidates, rowFraction, start }: Extract<RunEvent, { type: "planned" }>): string[] {
  const rows = `${percent(rowFraction)} of the rows, from ${start}`;
  const { beside, usesGradients } = optimizers[algorithm];
  const one = candidates === 1 ? "one candidate" : `${candidates} candidates`;
  return [
    beside
      ? `search: ${algorithm}, ${candidates - 1} candidates and the ${beside} a generation, ${rows}`
      : `search: ${algorithm}, ${one} a generation and the gradient there, ${rows}`,
    ...(beside ? [`(${BESIDE[beside]})`] : []),
    `(work is told in passes of one merge over all search rows${usesGradients ? "; a gradient counts as four" : ""})`,
  ];
}

function generationLine({
  generation,
  best,
  mean,
  work,
  elapsedMs,
  left,
}: Extract<RunEvent, { type: "generation" }>): string {
  const end =
    "ms" in left
      ? searchEnd(left.ms)
      : `search ends after ${left.evaluations} more evaluation${left.evaluations === 1 ? "" : "s"}`;
  const losses =
    mean === undefined ? `loss ${best.toFixed(4)}` : `best candidate ${best.toFixed(4)}, mean ${mean.toFixed(4)}`;
  return `generation ${generation}: ${losses}; work ${work.toFixed(1)}, ${duration(elapsedMs)} spent, ${end}`;
}

function restartLine({ candidates }: Extract<RunEvent, { type: "restarted" }>): string {
  return `the search has converged and begins again: ${candidates - 2} candidates, their mean and the best mean so far a generation, whose loss is told as the mean's`;
}

function modelLine({ name, loss, scores }: ModelLosses): string {
  const tasks = Object.entries(scores).map(([task, { loss, accuracy }]) =>
    accuracy === undefined ? `${task} ${loss.toFixed(3)}` : `${task} ${loss.toFixed(3)} (${percent(accuracy)} right)`,
  );
  return `${name.padEnd(22)} ${loss.toFixed(3)}   ${tasks.join(", ")}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
