import { recordedOptimizer } from "../search/optimizers.ts";
import { describePrecision } from "../experiment/precision.ts";
import type { RunEvent } from "../run/session/events.ts";
import type { RowCounts } from "../journal/records.ts";
import { budgetOption, duration, preciseDuration } from "../report/duration.ts";
import { lossesTable } from "../report/losses-table.ts";
import { unitSentences } from "../report/search-sentences.ts";
import { alignedText } from "../report/text/text-table.ts";
import { noticeLines } from "./plain-lines.ts";

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
        ...(isUneven(event.models) ? ["those on fewer rows were behind on these, and met no more"] : []),
        ...unitSentences(event),
        ...(event.skipped.length === 0 ? [] : [`no time for the baselines ${event.skipped.join(", ")}`]),
      ];
    case "forecast":
      return forecastLines(event);
    case "planned":
      return plannedLines(event);
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
    case "generation":
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
  const count = generations === 1 ? "1 generation" : `${generations} generations`;
  const budget = budgetMs === Infinity ? "" : `; the budget is ${duration(budgetMs)}`;
  return [
    `expected: baselines ${duration(baselinesMs)}, ${count} of ${preciseDuration(generationMs)}, finish${exports ? " and export" : ""} ${duration(finishMs)}${budget}`,
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

/** What a generation is, and what is told of the search from then on. */
function plannedLines({ algorithm, candidates, rowFraction, start }: Extract<RunEvent, { type: "planned" }>): string[] {
  const known = recordedOptimizer(algorithm);
  const beside = known?.beside;
  const one = candidates === 1 ? "one candidate" : `${candidates} candidates`;
  const asked = known ? `${one} with the gradient there` : one;
  const generation = beside ? `${candidates - 1} candidates and the ${beside}` : asked;
  return [
    `search: ${algorithm} from ${start}; a generation is ${generation}, on ${percent(rowFraction)} of the rows`,
    "loss: the best baseline's -> the search's, by the rows that it met lately",
  ];
}

function restartLine({ candidates }: Extract<RunEvent, { type: "restarted" }>): string {
  return `the search has converged and begins again: ${candidates - 2} candidates, their mean and the best mean so far a generation`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
