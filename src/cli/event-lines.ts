import { optimizers } from "../search/optimizers.ts";
import { describePrecision } from "../experiment/precision.ts";
import type { RunEvent } from "../run/events.ts";
import type { RowCounts } from "../journal/records.ts";
import { budgetOption, duration } from "../report/duration.ts";
import { lossesTable } from "../report/losses-table.ts";
import { unitSentences } from "../report/search-sentences.ts";
import { alignedText } from "../report/text/text-table.ts";
import { noticeLines, searchEnd } from "./plain-lines.ts";

/** Before the lines of a table. */
const INDENT = "  ";

/** The lines by which a terminal or a log of so many columns learns of an event; the verdict is a result and goes to standard output. */
export function eventLines(event: RunEvent, width = Infinity): readonly string[] {
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
        "baselines, losses on the search rows (combined: 1 is the uniform average)",
        ...tableLines(event.models, width),
        ...(isUneven(event.models) ? ["those on fewer rows met the first only, where others did better"] : []),
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
      return [
        ...(event.models.length === 0
          ? []
          : ["finalists, losses on the search rows", ...tableLines(event.models, width)]),
        `winner: ${event.winner}`,
      ];
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

/** Models and their losses, a line each, beside what is told of them. */
function tableLines(models: Parameters<typeof lossesTable>[0], width: number): string[] {
  const table = alignedText(lossesTable(models), { width: width - INDENT.length });
  return table.split("\n").map((line) => (line === "" ? line : INDENT + line));
}

function isUneven(models: readonly { readonly rows: RowCounts }[]): boolean {
  const counts = models.map(({ rows }) => Object.values(rows).reduce((sum, own) => sum + own, 0));
  return new Set(counts).size > 1;
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

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
