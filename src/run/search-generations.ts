import type { Selection } from "../evaluate/evaluator.ts";
import { UserError } from "../errors.ts";
import type { RecordPayloads, RowCounts } from "../journal/records.ts";
import { stratifiedSubset } from "../tasks/subset.ts";
import { RandomStream } from "../tensor/random.ts";
import { withDeadline } from "./deadline.ts";
import { combinedLoss, type ObjectiveTask } from "./objective.ts";
import { exportTime } from "./finish-time.ts";
import type { Plan } from "./plan-search.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import { scoreInParts } from "./score-in-parts.ts";
import { generationMs, lastFraction, leastFraction } from "./search-cost.ts";
import type { SearchState } from "./search-state.ts";
import { searchMsLeft } from "./search-time.ts";
import { flatLosses, type Session } from "./session.ts";
import { isFlat, whyStopped } from "./stopped-search.ts";

/** How many times its expected time a generation may take, and how much longer, where the search has no more time of its own. */
const PATIENCE = { times: 1.5, ms: 1000 } as const;

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
  while (mayGoOn(session, plan, search)) {
    if ((await generation(session, search, plan, scored.objective)) === "out of time") break;
  }
  const why = whyStopped(search);
  if (why !== undefined) emit({ type: "stopped", phase: "search", why });
  else if (search.means.length === 0 && !recorder.readOnly)
    emit({ type: "skipped", phase: "search", why: search.asked ? tooSlow(session, plan) : noRoom(session, plan) });
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
  const { recorder, emit } = session;
  const { optimizer } = search;
  const candidates = (search.asked ??= optimizer.ask());
  const reference = candidates.findIndex(({ isReference }) => isReference);
  const mean = candidates[reference]?.point ?? optimizer.recommend();
  const points = candidates.filter(({ isReference }) => !isReference).map(({ point }) => point);
  const counts = await recordAsk(session, plan, search, points);
  if (recorder.upcoming === undefined ? recorder.readOnly : recorder.upcoming !== "result") return "out of time";
  const rows = freshRows(session, counts, optimizer.generation);
  const replayed = recorder.replaying;
  const patienceMs = patienceFor(session, plan, rows);
  const asked = { points, mean, rows, number: optimizer.generation };
  const result = await takeResult(session, objective, asked, patienceMs);
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
  objective: readonly ObjectiveTask[],
  { number, points, mean, rows }: Generation,
  patienceMs: number,
): Promise<RecordPayloads["result"] | undefined> {
  const { genome, recorder, clock } = session;
  if (recorder.replaying) return recorder.step("result", unreachable);
  const compute = async (signal: AbortSignal): Promise<RecordPayloads["result"]> => {
    const recipes = [...points, mean].map((point) => genome.decode(point));
    const { evaluations, time } = await scoreInParts(session, "search", recipes, rows, { signal });
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
  return withDeadline(
    patienceMs,
    session.signal,
    (signal) => recorder.step("result", () => compute(signal)),
    clock.wall,
  );
}

/** Milliseconds after which a generation is given up: the search has no more time of its own, or none that was expected. */
function patienceFor(session: Session, plan: Plan, rows: Selection): number {
  const { clock, workspace, tasks } = session;
  if (!clock.isTimed) return Infinity;
  const share = workspace.evaluator.tokensOf(rows) / workspace.evaluator.tokensOf(allOf(tasks));
  const expectedMs = PATIENCE.ms + PATIENCE.times * generationMs(session, share);
  return Math.min(Math.max(expectedMs, searchMsLeft(session, plan)), clock.remainingMs - exportTime(session));
}

function unreachable(): never {
  throw new Error("search: a recorded generation was scored");
}

function allOf(tasks: Session["tasks"]): Selection {
  return Object.fromEntries(tasks.map(({ name, search }) => [name, search]));
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

function tooSlow({ clock }: Session, { population, elapsedMs }: Plan): string {
  const took = Math.round((clock.elapsedMs - elapsedMs) / 1000);
  return `the first generation of ${population} candidates and their mean was not scored in ${took} s, longer than was expected; resume the run with a larger budget`;
}

function evaluationsLeft({ experiment }: Session, plan: Plan, { optimizer }: SearchState): number {
  const total = "evaluations" in experiment.budget ? experiment.budget.evaluations : Infinity;
  return total - optimizer.generation * (plan.population + 1);
}
