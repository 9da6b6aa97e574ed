import { describePrecision } from "../experiment/precision.ts";
import type { RunEvent } from "../run/events.ts";
import type { ScoredModel } from "../journal/records.ts";
import { duration } from "./duration.ts";

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
        ...event.models.map((model) => `  ${modelLine(model)}`),
      ];
    case "planned":
      return [
        `search: ${event.population} candidates and the mean a generation, ${percent(event.rowFraction)} of the rows, from ${event.start}`,
      ];
    case "generation":
      return event.replayed ? [] : [generationLine(event)];
    case "finalists":
      return [...event.models.map((model) => `finalist ${modelLine(model)}`), `winner: ${event.winner}`];
    case "skipped":
      return [`${event.phase} skipped: ${event.why}`];
    case "notice":
      return [`note: ${event.text}`];
    case "fetching":
    case "pushing":
    case "progress":
    case "verdict":
    case "exported":
      return [];
    default:
      return event satisfies never;
  }
}

function generationLine({
  generation,
  best,
  mean,
  evaluations,
  elapsedMs,
  left,
}: Extract<RunEvent, { type: "generation" }>): string {
  const remaining =
    "ms" in left
      ? `${duration(left.ms)} left`
      : `${left.evaluations} evaluation${left.evaluations === 1 ? "" : "s"} left`;
  return `generation ${generation}: best ${best.toFixed(4)}, mean ${mean.toFixed(4)}, ${evaluations} evaluated, ${duration(elapsedMs)}, ${remaining}`;
}

function modelLine({ name, loss, scores }: ScoredModel): string {
  const tasks = Object.entries(scores).map(([task, { loss, accuracy }]) =>
    accuracy === undefined ? `${task} ${loss.toFixed(3)}` : `${task} ${loss.toFixed(3)} (${percent(accuracy)} right)`,
  );
  return `${name.padEnd(22)} ${loss.toFixed(3)}   ${tasks.join(", ")}`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(share < 0.1 ? 1 : 0)} %`;
}
