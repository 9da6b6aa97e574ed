import type { ScoredModel } from "../journal/records.ts";
import type { MergeRecipe } from "../merge/recipe.ts";
import { withDeadline } from "./deadline.ts";
import type { FinishTime } from "./finish-time.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import { allRows, evaluate, scoredModel, type Session } from "./session.ts";

/** How the best of the search is called in reports. */
export const EVOLVED = "evolved";

/**
 * Scores the means of the search on all search rows; the least loss wins, and a baseline that does as well keeps its
 * place. The guard rows have no part in this, so that their verdict on the winner is of one model chosen beforehand.
 */
export async function chooseWinner(
  session: Session,
  means: readonly Float64Array[],
  { baselines, objective }: ScoredBaselines,
  finish: FinishTime,
): Promise<ScoredModel> {
  const { genome, tasks, recorder, clock, emit } = session;
  const rows = allRows(tasks, "search");
  const merges = recommendations(means).map(({ name, point }) => ({ name, recipe: genome.decode(point) }));
  const record = await recorder.step("finalists", async () => {
    const recipes = merges.map(({ recipe }) => recipe);
    const timeLeft = clock.remainingMs - finish.guardMs - finish.exportMs;
    const evaluations = await withDeadline(timeLeft, session.signal, (signal) =>
      evaluate(session, "finalists", recipes, rows, { signal }),
    );
    if (!evaluations)
      emit({ type: "skipped", phase: "finalists", why: "the budget ended; the last mean wins unchecked" });
    const models = (evaluations ?? []).map((evaluation, i) =>
      scoredModel(merges[i] ?? absent(), evaluation, rows, objective),
    );
    return { models, winner: winnerOf(models, baselines, merges), elapsedMs: clock.elapsedMs };
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
  const merges = means.slice(-1).map((point) => ({ recipe: genome.decode(point) }));
  return winnerOf([], baselines, merges);
}

/** The last mean, and means of the last five and of the later half, which the noise of single generations moves less. */
function recommendations(means: readonly Float64Array[]): { name: string; point: Float64Array }[] {
  const spans = new Map([
    ["last mean", 1],
    ["mean of the last 5", Math.min(5, means.length)],
    ["mean of the later half", Math.ceil(means.length / 2)],
  ]);
  const seen = new Set<number>([0]);
  return [...spans].flatMap(([name, span]) => {
    if (seen.has(span)) return [];
    seen.add(span);
    return [{ name, point: average(means.slice(-span)) }];
  });
}

function average(points: readonly Float64Array[]): Float64Array {
  const [first = new Float64Array()] = points;
  return first.map((_, i) => points.reduce((sum, point) => sum + (point[i] ?? 0), 0) / points.length);
}

function winnerOf(
  models: readonly ScoredModel[],
  baselines: ScoredBaselines["baselines"],
  merges: readonly { readonly recipe: MergeRecipe }[],
): ScoredModel {
  const finite = [...baselines.map((model) => ({ scores: {}, ...model })), ...models].filter(({ loss }) =>
    Number.isFinite(loss),
  );
  const [best] = finite.toSorted((a, b) => a.loss - b.loss);
  const [last] = merges;
  if (models.length === 0 && last) return { name: EVOLVED, recipe: last.recipe, scores: {}, loss: Number.NaN };
  if (!best) throw new Error("finalists: no model has a finite loss");
  const { name, recipe, scores, loss } = best;
  return { name: models.some((model) => model.name === name) ? EVOLVED : name, recipe, scores, loss };
}

function absent(): never {
  throw new Error("finalists: an evaluation without a recipe");
}
