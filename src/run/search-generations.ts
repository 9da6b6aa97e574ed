import type { Selection } from "../evaluate/evaluator.ts";
import { UserError } from "../errors.ts";
import { optimizers } from "../search/optimizers.ts";
import type { Optimizer } from "../search/optimizer.ts";
import { stratifiedSubset } from "../tasks/subset.ts";
import { RandomStream } from "../tensor/random.ts";
import { withDeadline } from "./deadline.ts";
import { combinedLoss, type ObjectiveTask } from "./objective.ts";
import { finishTime, type FinishTime } from "./finish-time.ts";
import type { Plan } from "./plan-search.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import { scoreInParts } from "./score-in-parts.ts";
import { flatLosses, type Session } from "./session.ts";

/** What the search leaves to the phases after it. */
export interface Searched {
  /** The mean of the distribution after every generation. */
  readonly means: readonly Float64Array[];
  /** What the phases after it are expected to take, now that more has been measured. */
  readonly finish: FinishTime;
}

/**
 * The evolutionary loop. Each generation meets fresh rows, the same for all its candidates and for the mean of the
 * distribution, which is scored with them.
 */
export async function searchGenerations(session: Session, plan: Plan, scored: ScoredBaselines): Promise<Searched> {
  const { experiment, genome, clock } = session;
  const optimizer = optimizers[experiment.search.algorithm]({
    start: Float64Array.from(plan.start),
    sigma: genome.sigma,
    scales: genome.scales,
    populationSize: plan.population,
    seed: experiment.seed,
    inject: plan.inject.map((point) => Float64Array.from(point)),
  });
  const means: Float64Array[] = [];
  let { evaluationMs } = scored;
  let finish = finishTime(session, evaluationMs);
  let lastMs = 0;
  while (mayGoOn(session, plan, optimizer, lastMs, finish.totalMs)) {
    const before = clock.elapsedMs;
    const told = await generation(session, optimizer, plan, scored.objective, finish.totalMs);
    if (told === "out of time") break;
    means.push(Float64Array.from(optimizer.mean));
    if (told === "replayed") continue;
    lastMs = clock.elapsedMs - before;
    // A machine that others use may become slower; the finish is planned for the slowest moment so far.
    evaluationMs = Math.max(evaluationMs, lastMs / ((plan.population + 1) * plan.rowFraction));
    finish = finishTime(session, evaluationMs);
  }
  if (means.length === 0) {
    const why = `the budget has no room for one generation of ${plan.population} candidates and their mean`;
    session.emit({ type: "skipped", phase: "search", why });
  }
  return { means, finish };
}

/** Whether another generation fits in the budget; a replayed search goes as far as its journal does. */
function mayGoOn(session: Session, plan: Plan, optimizer: Optimizer, lastMs: number, finishMs: number): boolean {
  const { experiment, recorder, clock } = session;
  if (recorder.upcoming !== undefined) return recorder.upcoming === "ask";
  if (recorder.readOnly) return false;
  if (optimizer.converged) return false;
  if ("evaluations" in experiment.budget) return evaluationsLeft(session, plan, optimizer) > plan.population;
  return clock.searchMs(finishMs) > lastMs;
}

/** Asks, scores and tells one generation, unless time runs out in its midst. */
async function generation(
  session: Session,
  optimizer: Optimizer,
  plan: Plan,
  objective: readonly ObjectiveTask[],
  finishMs: number,
): Promise<"scored" | "replayed" | "out of time"> {
  const { genome, recorder, clock, emit } = session;
  const number = optimizer.generation;
  const mean = Float64Array.from(optimizer.mean);
  const points = optimizer.ask();
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
  emit({
    type: "generation",
    generation: number,
    best: Math.min(...result.losses.filter(Number.isFinite)),
    mean: result.meanLoss,
    evaluations: optimizer.generation * (plan.population + 1),
    elapsedMs: result.elapsedMs,
    left:
      "evaluations" in session.experiment.budget
        ? { evaluations: evaluationsLeft(session, plan, optimizer) }
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

function evaluationsLeft({ experiment }: Session, plan: Plan, optimizer: Optimizer): number {
  const total = "evaluations" in experiment.budget ? experiment.budget.evaluations : Infinity;
  return total - optimizer.generation * (plan.population + 1);
}
