import { EVOLVED, type ScoredModel } from "../journal/records.ts";
import { withDeadline } from "./deadline.ts";
import type { FinishTime } from "./finish-time.ts";
import { bestFirst, type ScoredBaselines } from "./score-baselines.ts";
import { scoreInParts } from "./score-in-parts.ts";
import { allRows, scoredModel, type Session } from "./session.ts";

/**
 * Scores the means of the search on all search rows; the least loss wins, and a baseline, or what won before, keeps its
 * place where it does as well. The guard rows have no part in this, so that their verdict on the winner is of one model chosen beforehand.
 */
export async function chooseWinner(
  session: Session,
  means: readonly Float64Array[],
  scored: ScoredBaselines,
  finish: FinishTime,
  earlier?: ScoredModel,
): Promise<ScoredModel> {
  const { baselines, objective } = scored;
  const { genome, tasks, recorder, clock, emit } = session;
  const rows = allRows(tasks, "search");
  const merges = recommendations(means).map(({ name, point }) => ({ name, recipe: genome.decode(point) }));
  const record = await recorder.step("finalists", async () => {
    const recipes = merges.map(({ recipe }) => recipe);
    const timeLeft = clock.remainingMs - finish.guardMs - finish.exportMs;
    const met = await withDeadline(timeLeft, session.signal, (signal) =>
      scoreInParts(session, "finalists", recipes, rows, { signal }),
    );
    if (!met) {
      const stays = earlier && Number.isFinite(earlier.loss);
      const winner = stays ? earlier : bestSoFar(session, means, scored);
      const why = `the budget ended; the ${stays ? "earlier winner stays" : "last mean wins unchecked"}`;
      emit({ type: "skipped", phase: "finalists", why });
      return { models: [], winner, elapsedMs: clock.elapsedMs };
    }
    const models = met.evaluations.map((evaluation, i) =>
      scoredModel(merges[i] ?? absent(), evaluation, rows, objective),
    );
    return {
      models,
      winner: leastLoss(earlier ? [...baselines, earlier] : baselines, models),
      elapsedMs: clock.elapsedMs,
    };
  });
  emit({ type: "finalists", models: record.models, winner: record.winner.name });
  return record.winner;
}

/** The merge to take from a search that goes on still: its last mean, or the best baseline before there is one. */
export function bestSoFar(
  { genome }: Session,
  means: readonly Float64Array[],
  { baselines }: ScoredBaselines,
): ScoredModel {
  const last = means.at(-1);
  if (!last) return leastLoss(baselines, []);
  return { name: EVOLVED, recipe: genome.decode(last), scores: {}, loss: Number.NaN };
}

/** The last mean, and means of the last five and of the later half, which the noise of single generations moves less. */
function recommendations(means: readonly Float64Array[]): { name: string; point: Float64Array }[] {
  const spans = new Set([1, 5, Math.ceil(means.length / 2)].map((span) => Math.min(span, means.length)));
  spans.delete(0);
  return Array.from(spans, (span) => ({
    name: span === 1 ? "last mean" : `mean of the last ${span}`,
    point: average(means.slice(-span)),
  }));
}

function average(points: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array()] = points;
  return first.map((_, i) => points.reduce((sum, point) => sum + (point[i] ?? 0), 0) / points.length);
}

function leastLoss(baselines: readonly ScoredModel[], evolved: readonly ScoredModel[]): ScoredModel {
  const [best] = bestFirst([...baselines, ...evolved]);
  if (!best) throw new Error("finalists: no model has a finite loss");
  const { name, recipe, scores, loss } = best;
  return { name: evolved.includes(best) ? EVOLVED : name, recipe, scores, loss };
}

function absent(): never {
  throw new Error("finalists: an evaluation without a recipe");
}
