import { steeringMs } from "./costs.ts";
import { type GenerationKind, generationKind } from "./search-kind.ts";
import type { Session } from "../session/session.ts";

/** How a budget is divided into generations and rows. */
interface Division {
  /** Generations from which on they meet more rows instead of being more; rows are spared to reach them. */
  readonly wanted: number;
  /** Generations for which more rows are spared than is good for each of them. */
  readonly needed: number;
  /** What a budget has room for that is told to have room for everything. */
  readonly enough: number;
  /** The part of the rows that is good for a generation where there is time for no more. */
  readonly fraction: number;
  /** The same where no time is given to derive it from. */
  readonly untimed: number;
  /** Rows of the smallest task below which a generation tells nothing. */
  readonly leastRows: number;
}

/** Of searches that only score: 10 or 20 candidates a generation, of which many on few rows find more (bench/RESULTS.md, Steering). By gradient a step is one candidate, and noise averages out over many. */
const DIVISIONS = {
  scoring: { wanted: 60, needed: 40, enough: 40, fraction: 0.05, untimed: 0.1, leastRows: 4 },
  gradient: { wanted: 150, needed: 10, enough: 40, fraction: 0.05, untimed: 0.05, leastRows: 2 },
} as const satisfies Record<string, Division>;

function divisionOf(session: Session): Division {
  return generationKind(session).usesGradients ? DIVISIONS.gradient : DIVISIONS.scoring;
}

/** Generations that a search should have. */
export function enoughGenerations(session: Session): number {
  return divisionOf(session).enough;
}

/** Expected milliseconds of a generation and its mean on a fraction of the search rows. */
export function generationMs(session: Session, kind: GenerationKind, fraction: number): number {
  return generationTime(session, kind)(fraction);
}

/** The same for whoever asks of many fractions: the rows are counted once. */
function generationTime(session: Session, kind: GenerationKind): (fraction: number) => number {
  const tokens = tokensOf(session);
  return (fraction) => steeringMs(session, kind, fraction * tokens);
}

/** The same of a first one on the fewest rows that tell anything. */
export function leastGenerationMs(session: Session): number {
  return generationMs(session, generationKind(session), leastFraction(session));
}

/** The fraction of the rows on which a search of so many milliseconds has enough generations. */
export function rowFractionFor(session: Session, kind: GenerationKind, searchMs: number): number {
  const { rowFraction } = session.experiment.search;
  if (rowFraction !== "auto") return rowFraction;
  const { wanted, needed, fraction, untimed } = divisionOf(session);
  if (searchMs === Infinity) return untimed;
  const least = leastFraction(session);
  const good = Math.max(fraction, fractionWithin(session, kind, searchMs / wanted));
  return Math.min(1, Math.max(least, Math.min(good, fractionWithin(session, kind, searchMs / needed))));
}

/** The fraction that the last generation of a search has in what is left of its time, if that tells anything. */
export function lastFraction(
  session: Session,
  kind: GenerationKind,
  { planned, leftMs, isFirst }: { readonly planned: number; readonly leftMs: number; readonly isFirst: boolean },
): number | undefined {
  if (generationMs(session, kind, planned) <= leftMs) return planned;
  const fraction = fractionWithin(session, kind, leftMs);
  // A small one would move the mean by the chance of its rows.
  const least = isFirst ? Math.min(planned, leastFraction(session)) : planned / 2;
  return fraction >= least ? fraction : undefined;
}

/** The largest fraction, from 0 to 1, of which a generation takes so many milliseconds at most. */
function fractionWithin(session: Session, kind: GenerationKind, ms: number): number {
  const msOf = generationTime(session, kind);
  if (msOf(1) <= ms) return 1;
  let [low, high] = [0, 1];
  for (let step = 0; step < 30; step += 1) {
    const middle = (low + high) / 2;
    if (msOf(middle) <= ms) low = middle;
    else high = middle;
  }
  return low;
}

/** Of the search rows, the fewest that tell anything of each task. */
export function leastFraction(session: Session): number {
  const smallest = Math.min(...session.tasks.map(({ search }) => search.length));
  return Math.min(1, divisionOf(session).leastRows / smallest);
}

/** Tokens that layers compute of all search rows. */
function tokensOf({ workspace, order }: Session): number {
  return workspace.evaluator.tokensOf(order.rows("search", order.counts("search", 1)));
}
