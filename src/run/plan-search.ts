import type { RecordPayloads } from "../journal/records.ts";
import type { MergeRecipe } from "../merge/recipe.ts";
import { defaultPopulationSize } from "../search/strategy-parameters.ts";
import { finishTime } from "./finish-time.ts";
import { bestFirst, type ScoredBaseline, type ScoredBaselines } from "./score-baselines.ts";
import type { Session } from "./session.ts";

/** Generations that a search should at least have; rows are spared to reach them. */
const WANTED_GENERATIONS = 25;
/** Bounds of the automatic row fraction, and its value where no time is given to derive it from. */
const ROW_FRACTION = { least: 0.1, most: 1, untimed: 0.25 } as const;
/** Baselines beside the start that the first generation contains, given recipes not counted. */
const INJECTED = 2;

export type Plan = RecordPayloads["plan"];

/** Turns the budget into population, rows and a starting point; recorded, since it rests on measured times. */
export async function planSearch(session: Session, scored: ScoredBaselines): Promise<Plan> {
  const { experiment, genome, recorder, clock, emit } = session;
  const { population: wanted, seedFromBaselines } = experiment.search;
  const [best, ...others] = seedFromBaselines ? warmStarts(session, scored.baselines) : [];
  const plan = await recorder.step("plan", async () => {
    const population = wanted === "auto" ? defaultPopulationSize(genome.dimension) : wanted;
    return {
      genes: genome.genes.map(({ name }) => name),
      start: [...(best ? genome.encode(best.recipe) : genome.start)],
      inject: others
        .filter(({ kind }, rank) => rank < INJECTED || kind === "recipe")
        .map(({ recipe }) => [...genome.encode(recipe)]),
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

/** Turns another budget into rows for the generations that it has room for; all else goes on as it was first planned. */
export async function replanSearch(session: Session, first: Plan, evaluationMs: number): Promise<Plan> {
  const { recorder, clock, emit } = session;
  const plan = await recorder.step("plan", async () => ({
    ...first,
    rowFraction: rowFractionOf(session, first.population, evaluationMs),
    elapsedMs: clock.elapsedMs,
  }));
  emit({ type: "planned", population: plan.population, rowFraction: plan.rowFraction, start: "where it stood" });
  return plan;
}

/** The baselines that are points of the search space, or have one near them, the best first; tells of the other merges. */
function warmStarts(
  { experiment: { space }, emit }: Session,
  baselines: readonly ScoredBaseline[],
): (ScoredBaseline & { readonly recipe: MergeRecipe })[] {
  const starts: (ScoredBaseline & { readonly recipe: MergeRecipe })[] = [];
  for (const { recipe, ...baseline } of baselines) {
    if (recipe.method === "passthrough") continue;
    if (recipe.method === space.method) {
      starts.push({ ...baseline, recipe });
    } else {
      const text = `the recipe ${baseline.name} is ${recipe.method} and the search space ${space.method}; it is a baseline, no starting point`;
      emit({ type: "notice", text });
    }
  }
  return bestFirst(starts);
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
