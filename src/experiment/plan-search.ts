import type { RecordPayloads } from "../journal/records.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import type { Session } from "./session.ts";

/** Generations that a search should at least have; rows are spared to reach them. */
const WANTED_GENERATIONS = 25;
/** Bounds of the automatic row fraction, and its value where no time is given to derive it from. */
const ROW_FRACTION = { least: 0.1, most: 1, untimed: 0.25 } as const;
/** Baselines beside the start that the first generation contains. */
const INJECTED = 2;

export type Plan = RecordPayloads["plan"];

/** Turns the budget into population, rows and a starting point; recorded, since it rests on measured times. */
export async function planSearch(session: Session, scored: ScoredBaselines, finishMs: number): Promise<Plan> {
  const { experiment, genome, recorder, clock, emit } = session;
  const merges = scored.baselines
    .filter(({ weights, loss }) => weights !== undefined && Number.isFinite(loss))
    .toSorted((a, b) => a.loss - b.loss);
  const best = experiment.search.seedFromBaselines ? merges[0] : undefined;
  const plan = await recorder.step("plan", async () => {
    const population = populationOf(session);
    return {
      genes: genome.genes.map(({ name }) => name),
      start: [...(best?.weights ? genome.encode(best.weights) : genome.start)],
      inject: best ? merges.slice(1, 1 + INJECTED).map(({ weights = {} }) => [...genome.encode(weights)]) : [],
      population,
      rowFraction: rowFractionOf(session, population, scored.evaluationMs, finishMs),
      evaluationMs: scored.evaluationMs,
      elapsedMs: clock.elapsedMs,
    };
  });
  emit({
    type: "planned",
    population: plan.population,
    rowFraction: plan.rowFraction,
    start: best?.name ?? "the search space's start",
  });
  return plan;
}

/** lambda = 4 + floor(3 ln n), equation 48 of Hansen's tutorial (arXiv:1604.00772). */
function populationOf({ experiment, genome }: Session): number {
  const { population } = experiment.search;
  return population === "auto" ? 4 + Math.floor(3 * Math.log(genome.dimension)) : population;
}

function rowFractionOf(
  { experiment, clock }: Session,
  population: number,
  evaluationMs: number,
  finishMs: number,
): number {
  const { rowFraction } = experiment.search;
  if (rowFraction !== "auto") return rowFraction;
  if ("evaluations" in experiment.budget) return ROW_FRACTION.untimed;
  const affordable = clock.searchMs(finishMs) / (WANTED_GENERATIONS * (population + 1) * evaluationMs);
  return Math.min(ROW_FRACTION.most, Math.max(ROW_FRACTION.least, affordable));
}
