import type { RecordPayloads } from "../journal/records.ts";
import { defaultPopulationSize } from "../search/strategy-parameters.ts";
import { finishTime } from "./finish-time.ts";
import { bestFirst, type ScoredBaselines } from "./score-baselines.ts";
import type { Session } from "./session.ts";

/** Generations that a search should at least have; rows are spared to reach them. */
const WANTED_GENERATIONS = 25;
/** Bounds of the automatic row fraction, and its value where no time is given to derive it from. */
const ROW_FRACTION = { least: 0.1, most: 1, untimed: 0.25 } as const;
/** Baselines beside the start that the first generation contains. */
const INJECTED = 2;

export type Plan = RecordPayloads["plan"];

/** Turns the budget into population, rows and a starting point; recorded, since it rests on measured times. */
export async function planSearch(session: Session, scored: ScoredBaselines): Promise<Plan> {
  const { experiment, genome, recorder, clock, emit } = session;
  const { population: wanted, seedFromBaselines } = experiment.search;
  const merges = bestFirst(scored.baselines.filter(({ weights }) => weights !== undefined));
  const best = seedFromBaselines ? merges[0] : undefined;
  const plan = await recorder.step("plan", async () => {
    const population = wanted === "auto" ? defaultPopulationSize(genome.dimension) : wanted;
    return {
      genes: genome.genes.map(({ name }) => name),
      start: [...(best?.weights ? genome.encode(best.weights) : genome.start)],
      inject: best ? merges.slice(1, 1 + INJECTED).map(({ weights = {} }) => [...genome.encode(weights)]) : [],
      population,
      rowFraction: rowFractionOf(session, population, scored.evaluationMs),
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

function rowFractionOf(session: Session, population: number, evaluationMs: number): number {
  const { experiment, clock } = session;
  const { rowFraction } = experiment.search;
  if (rowFraction !== "auto") return rowFraction;
  if ("evaluations" in experiment.budget) return ROW_FRACTION.untimed;
  const { totalMs } = finishTime(session, evaluationMs);
  const affordable = clock.searchMs(totalMs) / (WANTED_GENERATIONS * (population + 1) * evaluationMs);
  return Math.min(ROW_FRACTION.most, Math.max(ROW_FRACTION.least, affordable));
}
