import type { Experiment } from "../../experiment/experiment.ts";
import type { RecordPayloads } from "../../journal/records.ts";
import { weighingsOf } from "../../search/weighings.ts";
import { methodName } from "../../merge/declarations.ts";
import type { Genome } from "../../space/genome.ts";
import { joined } from "../../tensor/float64.ts";
import type { RunEvent } from "../session/events.ts";
import { bestFirst } from "../baselines/baselines.ts";
import type { ScoredBaselines } from "../baselines/score-baselines.ts";
import { learntStart } from "./learnt-start.ts";
import { longest, type ScoredBaseline } from "../baselines/scored-rungs.ts";
import { rowFractionFor } from "../estimates/search-cost.ts";
import { sharesIn } from "../session/objective.ts";
import { algorithmOf, frontKindOf, generationKind, populationOf } from "../estimates/search-kind.ts";
import type { SearchState } from "./search-state.ts";
import { searchMsLeft } from "../estimates/search-time.ts";
import type { Session } from "../session/session.ts";

export type Plan = RecordPayloads["plan"];

/** Turns the budget into rows and a starting point; recorded, since it rests on measured times. */
export async function planSearch(session: Session, scored: ScoredBaselines): Promise<Plan> {
  const { experiment, genome, recorder, clock, emit } = session;
  // Losses compare on the same rows only.
  const starts = warmStarts(session, startingPoints(experiment, longest(scored.baselines)));
  const learnt = learntStart(session);
  // What was learnt goes with its own mean.
  const best = learnt ? { name: "the distribution of the earlier run", point: learnt.mean } : starts[0];
  const others = learnt ? starts : starts.slice(1);
  const algorithm = algorithmOf(session);
  // One that walks begins at the start.
  const kind = generationKind(session);
  const { candidates, usesGradients } = kind;
  const room = populationOf(session) - (usesGradients ? 1 : 0);
  const plan = await recorder.step("plan", async () => {
    const { elapsedMs } = clock;
    const columns = unnamedGenes(genome);
    const beside =
      frontKindOf(session) === "walks"
        ? walkStarts(session, starts, scored)
        : injected(session, others, room).map(({ point }) => point);
    return {
      algorithm,
      genes: genome.genes.map(({ name }) => name),
      ...(columns > 0 && { columns }),
      ranges: genome.genes.map(({ range }) => range),
      start: recorder.storeNumbers(best ? best.point : genome.start),
      ...(beside.length > 0 && { inject: recorder.storeNumbers(joined(beside)) }),
      candidates,
      rowFraction: rowFractionFor(session, kind, searchMsLeft(session, { elapsedMs })),
      elapsedMs,
    };
  });
  emit(planned(session, plan, best?.name ?? "the search space's start"));
  return plan;
}

/** Where the walks behind the first begin: each at the best by its own weighing of the tasks. */
function walkStarts(
  session: Session,
  starts: readonly (ScoredBaseline & { readonly point: Float64Array })[],
  { objective }: Pick<ScoredBaselines, "objective">,
): readonly Float64Array[] {
  const [, ...weighings] = weighingsOf(sharesIn(objective), populationOf(session));
  return weighings.flatMap((weights) => {
    const lossOf = ({ scores }: ScoredBaseline): number =>
      objective.reduce(
        (sum, { name, scale }, i) => sum + (weights[i] ?? 0) * ((scores[name]?.loss ?? Number.NaN) / scale),
        0,
      );
    const [best] = bestFirst(starts.map((start) => ({ point: start.point, loss: lossOf(start) })));
    return best ? [best.point] : [];
  });
}

/** How many genes of a genome have no name. */
export function unnamedGenes({ dimension, genes }: Pick<Genome, "dimension" | "genes">): number {
  return dimension - genes.length;
}

/** Turns another budget into rows for the generations that it has room for; all else goes on as it was first planned. */
export async function replanSearch(
  session: Session,
  first: Plan,
  { optimizer }: Pick<SearchState, "optimizer">,
): Promise<Plan> {
  const { recorder, clock, emit } = session;
  const plan = await recorder.step("plan", async () => {
    const { elapsedMs } = clock;
    const kind = generationKind(session, optimizer);
    return { ...first, rowFraction: rowFractionFor(session, kind, searchMsLeft(session, { elapsedMs })), elapsedMs };
  });
  emit(planned(session, plan, "where it stood"));
  return plan;
}

function planned(session: Session, { candidates, rowFraction }: Plan, start: string): RunEvent {
  return { type: "planned", algorithm: algorithmOf(session), candidates, rowFraction, start };
}

/** Those that the search may begin with: all, or only what an earlier run has found, where there is one. */
function startingPoints(
  { search, start }: Pick<Experiment, "search" | "start">,
  baselines: readonly ScoredBaseline[],
): readonly ScoredBaseline[] {
  if (search.seedFromBaselines) return baselines;
  return baselines.filter(({ name }) => name === start?.taken?.recipe);
}

/** The baselines that are points of the search space, or have one near them, the best first; tells of the other merges. */
function warmStarts(
  { experiment: { space }, genome, emit }: Session,
  baselines: readonly ScoredBaseline[],
): (ScoredBaseline & { readonly point: Float64Array })[] {
  const starts: (ScoredBaseline & { readonly point: Float64Array })[] = [];
  for (const baseline of baselines) {
    const { name, kind, recipe } = baseline;
    const point = genome.startAt(recipe);
    if (point) {
      starts.push({ ...baseline, point });
    } else if (kind === "recipe") {
      const text = `the recipe ${name} is ${methodName(recipe.method)} and the search space ${methodName(space.method)}; it is a baseline, no starting point`;
      emit({ type: "notice", text });
    }
  }
  return bestFirst(starts);
}

/**
 * The given recipes beside the start, as many as the first generation holds; tells of the others. Other baselines are not in it:
 * a population around the best of them finds no less without (bench/RESULTS.md, Neighbours of the start).
 */
function injected<T extends Pick<ScoredBaseline, "name" | "kind">>(
  { emit }: Session,
  ranked: readonly T[],
  room: number,
): readonly T[] {
  const recipes = ranked.filter(({ kind }) => kind === "recipe");
  const left = recipes.slice(room);
  if (left.length > 0) {
    const text = `the first generation has no room for ${left.length} of the given recipes: ${left.map(({ name }) => name).join(", ")}; they are baselines, and the search begins with those that did better`;
    emit({ type: "notice", text });
  }
  return recipes.slice(0, room);
}
