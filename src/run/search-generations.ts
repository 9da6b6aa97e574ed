import type { Selection } from "../evaluate/evaluator.ts";
import { UserError } from "../errors.ts";
import type { RecordPayloads, RowCounts } from "../journal/records.ts";
import { stratifiedSubset } from "../tasks/subset.ts";
import { RandomStream } from "../tensor/random.ts";
import { combinedLoss, type ObjectiveTask } from "./objective.ts";
import type { Plan } from "./plan-search.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import { type InPartsOptions, scoreInParts } from "./score-in-parts.ts";
import { scoreInTime } from "./score-in-time.ts";
import { generationMs, lastFraction, leastFraction } from "./search-cost.ts";
import type { SearchState } from "./search-state.ts";
import { leastFinishMs, searchMsLeft } from "./search-time.ts";
import { flatLosses, type Session } from "./session.ts";
import { isFlat, whyStopped } from "./stopped-search.ts";

/**
 * The evolutionary loop, which goes on from where the search stands. Each generation meets fresh rows, the same for all
 * its candidates and for the mean of the distribution, which is scored with them.
 */
export async function searchGenerations(
  session: Session,
  search: SearchState,
  plan: Plan,
  scored: ScoredBaselines,
): Promise<void> {
  const { recorder, emit } = session;
  let isGivenUp = false;
  while (!isGivenUp && mayGoOn(session, plan, search)) {
    isGivenUp = (await generation(session, search, plan, scored.objective)) === "out of time";
  }
  const why = whyStopped(search);
  if (why !== undefined) emit({ type: "stopped", phase: "search", why });
  else if ((isGivenUp || search.means.length === 0) && !recorder.readOnly)
    emit({ type: "skipped", phase: "search", why: search.asked ? tooSlow(search, plan) : noRoom(session, plan) });
}

/** Whether another generation comes; a replayed search goes as far as its journal does, and another budget is planned first. */
function mayGoOn(session: Session, plan: Plan, search: SearchState): boolean {
  const { recorder } = session;
  if (recorder.upcoming !== undefined) return recorder.upcoming === "ask";
  return !recorder.readOnly && !recorder.replans && hasRoom(session, plan, search);
}

/** Whether another generation fits in the budget, and can change anything. */
export function hasRoom(session: Session, plan: Plan, search: SearchState): boolean {
  return whyStopped(search) === undefined && nextCounts(session, plan, search) !== undefined;
}

/** Rows of the next generation, fewer where time does not suffice for those that were planned; undefined where it is over. */
function nextCounts(session: Session, plan: Plan, search: SearchState): RowCounts | undefined {
  const { experiment, order } = session;
  if ("evaluations" in experiment.budget) {
    return evaluationsLeft(session, plan, search) > plan.population
      ? order.counts("search", plan.rowFraction, 1)
      : undefined;
  }
  const leftMs = searchMsLeft(session, plan);
  const fraction = lastFraction(session, plan.rowFraction, leftMs, search.means.length === 0);
  return fraction === undefined ? undefined : order.counts("search", fraction, 1);
}

/** Asks, scores and tells one generation, unless time runs out in its midst. */
async function generation(
  session: Session,
  search: SearchState,
  plan: Plan,
  objective: readonly ObjectiveTask[],
): Promise<"told" | "out of time"> {
  const { recorder, clock, emit } = session;
  const { optimizer } = search;
  const candidates = (search.asked ??= optimizer.ask());
  const reference = candidates.findIndex(({ isReference }) => isReference);
  const mean = candidates[reference]?.point ?? optimizer.recommend();
  const points = candidates.filter(({ isReference }) => !isReference).map(({ point }) => point);
  const counts = await recordAsk(session, plan, search, points);
  if (recorder.upcoming === undefined ? recorder.readOnly : recorder.upcoming !== "result") return "out of time";
  const rows = freshRows(session, counts, optimizer.generation);
  const replayed = recorder.replaying;
  const asked = { points, mean, rows, number: optimizer.generation };
  const began = clock.elapsedMs;
  const result = await takeResult(session, plan, objective, asked);
  if (!replayed) clock.searched(clock.elapsedMs - began);
  if (!result) return "out of time";
  optimizer.tell(
    result.losses.toSpliced(reference, 0, result.meanLoss).map((loss) => ({ loss })),
    0,
  );
  search.asked = undefined;
  search.means.push(optimizer.recommend());
  search.lastScored = { point: mean, rows, loss: result.meanLoss, rowLosses: result.rowLosses };
  search.flat = isFlat(result) ? search.flat + 1 : 0;
  emit({
    type: "generation",
    generation: result.generation,
    best: Math.min(...result.losses.filter(Number.isFinite)),
    mean: result.meanLoss,
    evaluations: optimizer.generation * (plan.population + 1),
    elapsedMs: result.elapsedMs,
    left:
      "evaluations" in session.experiment.budget
        ? { evaluations: evaluationsLeft(session, plan, search) }
        : { ms: searchMsLeft(session, plan) },
    replayed,
  });
  return "told";
}

interface Generation {
  readonly number: number;
  readonly points: readonly Float64Array[];
  readonly mean: Float64Array;
  readonly rows: Selection;
}

/** Scores a generation, or reads what was scored of it; undefined where it took so long that the finish needs the time. */
async function takeResult(
  session: Session,
  plan: Plan,
  objective: readonly ObjectiveTask[],
  { number, points, mean, rows }: Generation,
): Promise<RecordPayloads["result"] | undefined> {
  const { genome, recorder, clock } = session;
  if (recorder.replaying) return recorder.step("result", unreachable);
  const recipes = [...points, mean].map((point) => genome.decode(point));
  const compute = async (inTime: InPartsOptions): Promise<RecordPayloads["result"]> => {
    const { evaluations, time } = await scoreInParts(session, "search", recipes, rows, inTime);
    const losses = evaluations.map((evaluation) => combinedLoss(evaluation, objective));
    return {
      generation: number,
      losses: losses.slice(0, -1),
      meanLoss: losses.at(-1) ?? Number.NaN,
      rowLosses: recorder.storeLosses(flatLosses(evaluations)),
      time,
      elapsedMs: clock.elapsedMs,
    };
  };
  const timely = { models: recipes.length, rows, by: "signal", afterMs: leastFinishMs(session, plan) } as const;
  return scoreInTime(session, timely, (inTime) => recorder.step("result", () => compute(inTime)));
}

function unreachable(): never {
  throw new Error("search: a recorded generation was scored");
}

/** Writes genes and rows down before they are scored; a replayed search must ask for the very same genes. */
async function recordAsk(
  session: Session,
  plan: Plan,
  search: SearchState,
  points: readonly Float64Array[],
): Promise<RowCounts> {
  const { recorder, order } = session;
  const { generation } = search.optimizer;
  const asked = { generation, points: points.map((point) => [...point]) };
  const recorded = await recorder.step("ask", async () => ({
    ...asked,
    rows: nextCounts(session, plan, search) ?? order.counts("search", plan.rowFraction, 1),
  }));
  if (JSON.stringify(recorded.points) === JSON.stringify(asked.points)) return recorded.rows;
  throw new UserError(
    `${recorder.folder}: generation ${generation} of the journal has other genes than evomerge proposes here; resume with the versions that its first record names`,
  );
}

function freshRows({ tasks, experiment }: Session, counts: RowCounts, generation: number): Selection {
  return Object.fromEntries(
    tasks.map(({ name, search }) => [
      name,
      stratifiedSubset(
        search,
        Math.min(1, (counts[name] ?? 0) / search.length),
        RandomStream.of(experiment.seed, "rows", name, generation),
      ),
    ]),
  );
}

function noRoom(session: Session, plan: Plan): string {
  const models = `one generation of ${plan.population} candidates and their mean`;
  if (!session.clock.isTimed) return `the budget has no room for ${models}`;
  const needed = Math.ceil(generationMs(session, leastFraction(session)) / 1000);
  return `the budget has no room for ${models}, which takes about ${needed} s on the fewest rows that tell anything`;
}

function tooSlow({ optimizer, means }: SearchState, { population }: Plan): string {
  const generation = `generation ${optimizer.generation} of ${population} candidates and their mean`;
  const advice = means.length === 0 ? "; resume the run with a larger budget" : "";
  return `${generation} takes longer than was expected and is given up, which leaves the finish its time${advice}`;
}

function evaluationsLeft({ experiment }: Session, plan: Plan, { optimizer }: SearchState): number {
  const total = "evaluations" in experiment.budget ? experiment.budget.evaluations : Infinity;
  return total - optimizer.generation * (plan.population + 1);
}
