import type { Selection } from "../evaluate/evaluator.ts";
import { UserError } from "../errors.ts";
import { stratifiedSubset } from "../tasks/subset.ts";
import { RandomStream } from "../tensor/random.ts";
import { withDeadline } from "./deadline.ts";
import { combinedLoss, type ObjectiveTask } from "./objective.ts";
import { finishTime } from "./finish-time.ts";
import type { Plan } from "./plan-search.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import { scoreInParts } from "./score-in-parts.ts";
import type { SearchState } from "./search-state.ts";
import { flatLosses, type Session } from "./session.ts";

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
  while (mayGoOn(session, plan, search)) {
    const before = session.clock.elapsedMs;
    const told = await generation(session, search, plan, scored.objective);
    if (told === "out of time") break;
    search.means.push(Float64Array.from(search.optimizer.mean));
    if (told === "replayed") continue;
    search.lastMs = session.clock.elapsedMs - before;
    // A machine that others use may become slower; the finish is planned for the slowest moment so far.
    const evaluationMs = search.lastMs / ((plan.population + 1) * plan.rowFraction);
    search.evaluationMs = Math.max(search.evaluationMs, evaluationMs);
  }
  if (search.means.length === 0) {
    const why = `the budget has no room for one generation of ${plan.population} candidates and their mean`;
    session.emit({ type: "skipped", phase: "search", why });
  }
}

/** Whether another generation comes; a replayed search goes as far as its journal does, and another budget is planned first. */
function mayGoOn(session: Session, plan: Plan, search: SearchState): boolean {
  const { recorder } = session;
  if (recorder.upcoming !== undefined) return recorder.upcoming === "ask";
  return !recorder.readOnly && !recorder.replans && hasRoom(session, plan, search);
}

/** Whether another generation fits in the budget, and can change anything. */
export function hasRoom(session: Session, plan: Plan, search: SearchState): boolean {
  const { experiment, clock } = session;
  if (search.optimizer.converged) return false;
  if ("evaluations" in experiment.budget) return evaluationsLeft(session, plan, search) > plan.population;
  return clock.searchMs(finishTime(session, search.evaluationMs).totalMs) > search.lastMs;
}

/** Asks, scores and tells one generation, unless time runs out in its midst. */
async function generation(
  session: Session,
  search: SearchState,
  plan: Plan,
  objective: readonly ObjectiveTask[],
): Promise<"scored" | "replayed" | "out of time"> {
  const { genome, recorder, clock, emit } = session;
  const { optimizer } = search;
  const finishMs = finishTime(session, search.evaluationMs).totalMs;
  const number = optimizer.generation;
  const mean = Float64Array.from(optimizer.mean);
  const points = (search.asked ??= optimizer.ask());
  const rows = freshRows(session, plan.rowFraction, number);
  await recordAsk(session, number, points, rows);
  if (recorder.upcoming === undefined ? recorder.readOnly : recorder.upcoming !== "result") return "out of time";
  const replayed = recorder.replaying;
  const result = await withDeadline(clock.searchMs(finishMs), session.signal, (signal) =>
    recorder.step("result", async () => {
      const recipes = [...points, mean].map((point) => genome.decode(point));
      const { evaluations } = await scoreInParts(session, "search", recipes, rows, { signal });
      const losses = evaluations.map((evaluation) => combinedLoss(evaluation, objective));
      return {
        generation: number,
        losses: losses.slice(0, -1),
        meanLoss: losses.at(-1) ?? Number.NaN,
        rowLosses: recorder.storeLosses(flatLosses(evaluations)),
        elapsedMs: clock.elapsedMs,
      };
    }),
  );
  if (!result) return "out of time";
  optimizer.tell(result.losses, result.meanLoss);
  search.asked = undefined;
  emit({
    type: "generation",
    generation: number,
    best: Math.min(...result.losses.filter(Number.isFinite)),
    mean: result.meanLoss,
    evaluations: optimizer.generation * (plan.population + 1),
    elapsedMs: result.elapsedMs,
    left:
      "evaluations" in session.experiment.budget
        ? { evaluations: evaluationsLeft(session, plan, search) }
        : { ms: clock.searchMs(finishMs) },
    replayed,
  });
  return replayed ? "replayed" : "scored";
}

/** Writes the genes down before they are scored; a replayed search must ask for the very same. */
async function recordAsk(
  { recorder }: Session,
  generation: number,
  points: readonly Float64Array[],
  rows: Selection,
): Promise<void> {
  const asked = {
    generation,
    points: points.map((point) => [...point]),
    rows: Object.fromEntries(Object.entries(rows).map(([task, { length }]) => [task, length])),
  };
  const recorded = await recorder.step("ask", async () => asked);
  if (JSON.stringify(recorded.points) === JSON.stringify(asked.points)) return;
  throw new UserError(
    `${recorder.folder}: generation ${generation} of the journal has other genes than evomerge proposes here; resume with the versions that its first record names`,
  );
}

function freshRows({ tasks, experiment }: Session, fraction: number, generation: number): Selection {
  return Object.fromEntries(
    tasks.map(({ name, search }) => [
      name,
      stratifiedSubset(search, fraction, RandomStream.of(experiment.seed, "rows", name, generation)),
    ]),
  );
}

function evaluationsLeft({ experiment }: Session, plan: Plan, { optimizer }: SearchState): number {
  const total = "evaluations" in experiment.budget ? experiment.budget.evaluations : Infinity;
  return total - optimizer.generation * (plan.population + 1);
}
