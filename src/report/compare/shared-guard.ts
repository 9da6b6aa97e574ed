import type { JournalView } from "../../journal/journal.ts";
import type { GuardedModel } from "../../journal/records.ts";
import type { Standing } from "../../journal/standing.ts";
import type { ObjectiveTask } from "../../run/session/objective.ts";
import { pairedGains } from "../../run/finish/paired-gains.ts";
import type { TaskRow } from "../../tasks/rows.ts";
import { ofCandidate } from "../generation-losses.ts";
import type { GuardRows } from "../view/row-changes.ts";

/** The winner of a run on its guard rows, a loss for each. */
export interface GuardedWinner {
  readonly rows: GuardRows;
  /** By task, in the order of its rows. */
  readonly losses: Readonly<Record<string, Float64Array>>;
}

/** How two winners compare on the guard rows of both, which neither search has seen. */
export interface SharedGains {
  /** On all of these tasks combined, and on each. */
  readonly gains: NonNullable<GuardedModel["gains"]>;
  /** Rows that both met, by task; a task without any is left out. */
  readonly rows: Readonly<Record<string, number>>;
}

/** Undefined where the winner of the run has not met the rows, or their losses are not as many as they. */
export function guardedWinner(
  view: JournalView,
  { verdict }: Pick<Standing, "verdict">,
  rows: GuardRows,
): GuardedWinner | undefined {
  const place = verdict?.models.findIndex(({ kind }) => kind === "winner") ?? -1;
  if (!verdict || place === -1) return undefined;
  const own = ofCandidate(view.readNumbers(verdict.rowLosses), place, verdict.models.length);
  let end = 0;
  const losses = Object.fromEntries(
    Object.entries(rows).map(([task, { length }]) => [task, own.subarray(end, (end += length))]),
  );
  return end === own.length ? { rows, losses } : undefined;
}

/** A row and its place among the losses of each winner. */
interface SharedRow {
  readonly row: TaskRow;
  readonly own: number;
  readonly other: number;
}

/** What the first winner gains over the other; undefined where they share no row of these tasks. */
export function sharedGains(
  own: GuardedWinner,
  other: GuardedWinner,
  objective: readonly ObjectiveTask[],
  seed: number,
): SharedGains | undefined {
  const shared = new Map(
    objective
      .map(({ name }) => [name, sharedRows(own.rows[name] ?? [], other.rows[name] ?? [])] as const)
      .filter(([, { length }]) => length > 0),
  );
  if (shared.size === 0) return undefined;
  const lossesIn =
    ({ losses }: GuardedWinner, place: "own" | "other") =>
    (task: string): number[] =>
      (shared.get(task) ?? []).map((row) => losses[task]?.[row[place]] ?? Number.NaN);
  const gains = pairedGains({
    baseline: lossesIn(other, "other"),
    candidate: lossesIn(own, "own"),
    rows: Object.fromEntries(Array.from(shared, ([task, rows]) => [task, rows.map(({ row }) => row)])),
    objective: objective.filter(({ name }) => shared.has(name)),
    seed,
  });
  return { gains, rows: Object.fromEntries(Array.from(shared, ([task, { length }]) => [task, length])) };
}

/** Rows of both that say the same and are judged by the same loss; of one that occurs several times, as many as both have. */
function sharedRows(own: readonly TaskRow[], other: readonly TaskRow[]): readonly SharedRow[] {
  const places = new Map<string, number[]>();
  for (const [i, row] of other.entries()) {
    const key = keyOf(row);
    places.set(key, [...(places.get(key) ?? []), i]);
  }
  return own.flatMap((row, i) => {
    const place = places.get(keyOf(row))?.shift();
    return place === undefined ? [] : [{ row, own: i, other: place }];
  });
}

function keyOf({ id, kind, loss = "softmax" }: TaskRow): string {
  return `${id} ${kind === "choice" ? loss : kind}`;
}
