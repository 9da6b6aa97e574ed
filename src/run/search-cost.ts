import { defaultPopulationSize } from "../search/strategy-parameters.ts";
import { steeringMs } from "./costs.ts";
import type { Session } from "./session.ts";

/** Generations that a search should at least have; rows are spared to reach them. */
export const WANTED_GENERATIONS = 25;
/** Generations for which more rows are spared than is good for each of them. */
const NEEDED_GENERATIONS = 4;
/** Bounds of the automatic row fraction, and its value where no time is given to derive it from. */
const ROW_FRACTION = { least: 0.1, most: 1, untimed: 0.25 } as const;
/** Rows of the smallest task below which a generation tells nothing. */
const LEAST_ROWS = 4;

/** Candidates of a generation, the mean not included. */
export function populationOf({ experiment, genome }: Pick<Session, "experiment" | "genome">): number {
  const { population } = experiment.search;
  return population === "auto" ? defaultPopulationSize(genome.dimension) : population;
}

/** Expected milliseconds of a generation and its mean on a fraction of the search rows. */
export function generationMs(session: Session, fraction: number): number {
  return generationTime(session)(fraction);
}

/** The same for whoever asks of many fractions: the rows are counted once. */
function generationTime(session: Session): (fraction: number) => number {
  const tokens = tokensOf(session);
  return (fraction) => steeringMs(session, populationOf(session) + 1, fraction * tokens);
}

/** The same on the fewest rows that tell anything. */
export function leastGenerationMs(session: Session): number {
  return generationMs(session, leastFraction(session));
}

/** The fraction of the rows on which a search of so many milliseconds has enough generations. */
export function rowFractionFor(session: Session, searchMs: number): number {
  const { rowFraction } = session.experiment.search;
  if (rowFraction !== "auto") return rowFraction;
  if (searchMs === Infinity) return ROW_FRACTION.untimed;
  const least = leastFraction(session);
  const good = Math.max(ROW_FRACTION.least, fractionWithin(session, searchMs / WANTED_GENERATIONS));
  const needed = fractionWithin(session, searchMs / NEEDED_GENERATIONS);
  return Math.min(ROW_FRACTION.most, Math.max(least, Math.min(good, needed)));
}

/** The fraction that the last generation of a search has in what is left of its time, if that tells anything. */
export function lastFraction(session: Session, planned: number, leftMs: number, isFirst: boolean): number | undefined {
  if (generationMs(session, planned) <= leftMs) return planned;
  const fraction = fractionWithin(session, leftMs);
  // A small one would move the mean by the chance of its rows.
  const least = isFirst ? Math.min(planned, leastFraction(session)) : planned / 2;
  return fraction >= least ? fraction : undefined;
}

/** The largest fraction, from 0 to 1, of which a generation takes so many milliseconds at most. */
function fractionWithin(session: Session, ms: number): number {
  const msOf = generationTime(session);
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
export function leastFraction({ tasks }: Session): number {
  const smallest = Math.min(...tasks.map(({ search }) => search.length));
  return Math.min(1, LEAST_ROWS / smallest);
}

/** Padded tokens of all search rows. */
function tokensOf({ workspace, order }: Session): number {
  return workspace.evaluator.tokensOf(order.rows("search", order.counts("search", 1)));
}
