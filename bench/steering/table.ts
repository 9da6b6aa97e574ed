import { mean, median } from "simple-statistics";
import type { Table } from "../../src/report/table.ts";
import type { Arm } from "./arms.ts";
import { GRADIENT_COST } from "./problem.ts";
import type { Found, ScoredPoint } from "./search.ts";
import type { Unit } from "./spending.ts";

/** One search. */
export interface Cell {
  readonly arm: string;
  /** In what the whole table counts. */
  readonly budget: number;
  readonly seed: number;
  readonly found: Found;
}

type Choice = (points: readonly ScoredPoint[]) => ScoredPoint | undefined;

const named =
  (name: ScoredPoint["name"]): Choice =>
  (points) =>
    points.find((point) => point.name === name);

/** The finalist with the least loss on all search rows, as a run takes it; a peer's best sample. */
const winner: Choice = (points) =>
  points.filter(({ name }) => name !== "held-out best").toSorted((a, b) => a.search - b.search)[0];

/** Guard losses of the winners by budget; at the largest one their search loss too, and what the guard loss is above it. */
export function budgetTable(
  cells: readonly Cell[],
  arms: readonly Arm[],
  budgets: readonly number[],
  unit: Unit,
): Table {
  const rows = linesOf(cells, arms, (own) => {
    const guards = budgets.map((budget) => taken(own, budget, winner).map(({ guard }) => guard));
    const last = taken(own, budgets.at(-1), winner);
    const search = last.map((point) => point.search);
    const gap = last.map((point) => point.guard - point.search);
    return [`${own[0]?.found.genes}`, ...guards.map(spread), ...[search, gap].map(middle)];
  });
  return {
    header: ["", "genes", ...budgets.map((budget) => (unit === "s" ? `${budget} s` : `${budget}`)), "search", "gap"],
    rows,
  };
}

/** Guard losses of the points to which the same searches may be said to have led. */
export function pointTable(cells: readonly Cell[], arms: readonly Arm[], budget: number): Table {
  const choices = {
    last: named("last"),
    "mean of 5": named("mean of 5"),
    "mean of half": named("mean of half"),
    "least search loss": winner,
    "held-out best": named("held-out best"),
  };
  const rows = linesOf(cells, arms, (own) =>
    Object.values(choices).map((choice) => spread(taken(own, budget, choice).map(({ guard }) => guard))),
  );
  return { header: [`at ${budget}`, ...Object.keys(choices)], rows: rows.filter(([, , half]) => half !== "") };
}

/** CPU time of a pass over all search rows, medians over searches: of one that scores, and of one that differentiates. */
export function paces(cells: readonly Cell[], arms: readonly Arm[]): string {
  const seconds = (kind: readonly Arm[], passes: number): string => {
    const own = cells.filter(({ arm, found }) => found.work > 0 && kind.some(({ name }) => name === arm));
    return own.length === 0 ? "?" : median(own.map(({ found }) => (passes * found.cpuSeconds) / found.work)).toFixed(2);
  };
  const steps = arms.filter(({ rate }) => rate !== undefined);
  const others = arms.filter(({ rate }) => rate === undefined);
  return `CPU seconds of a pass over all search rows: ${seconds(others, 1)} scored, ${seconds(steps, GRADIENT_COST)} differentiated`;
}

function linesOf(
  cells: readonly Cell[],
  arms: readonly Arm[],
  columns: (own: readonly Cell[]) => readonly string[],
): string[][] {
  return arms.flatMap(({ name }) => {
    const own = cells.filter(({ arm }) => arm === name);
    return own.length === 0 ? [] : [[name, ...columns(own)]];
  });
}

function taken(cells: readonly Cell[], budget: number | undefined, choice: Choice): ScoredPoint[] {
  return cells.filter((cell) => cell.budget === budget).flatMap(({ found }) => choice(found.points) ?? []);
}

/** The mean, and half of the distance between the least and the greatest where there are several. */
function spread(losses: readonly number[]): string {
  if (losses.length < 2) return middle(losses);
  const half = (Math.max(...losses) - Math.min(...losses)) / 2;
  return `${middle(losses)} ±${half.toFixed(3).slice(1)}`;
}

function middle(values: readonly number[]): string {
  return values.length === 0 ? "" : mean([...values]).toFixed(3);
}
