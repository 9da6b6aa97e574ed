import { EVOLVED, type RecordPayloads, type ScoredModel } from "../journal/records.ts";
import { bestSoFar, leastLoss } from "./best-so-far.ts";
import { withDeadline } from "./deadline.ts";
import { exportTime, finishWithin, guardTime } from "./finish-time.ts";
import type { ScoredBaselines } from "./score-baselines.ts";
import { scoreInParts } from "./score-in-parts.ts";
import { longest } from "./scored-rungs.ts";
import type { SearchState } from "./search-state.ts";
import { scoredModel, type Session } from "./session.ts";

/** Of the guard rows: what finalists that take longer than expected leave. */
const LEAST_GUARD = 1 / 8;

/**
 * Scores the means of the search on the search rows that the baselines met; the least loss wins, and a baseline, or what
 * won before, keeps its place where it does as well. The guard rows have no part in this, so that their verdict on the
 * winner is of one model chosen beforehand.
 */
export async function chooseWinner(
  session: Session,
  search: SearchState,
  scored: ScoredBaselines,
  earlier?: ScoredModel,
): Promise<Pick<RecordPayloads["finalists"], "winner" | "rows">> {
  const { recorder, clock, emit } = session;
  const record = await recorder.step("finalists", async () => {
    const met = await race(session, search, scored, earlier);
    if (met) return met;
    const winner = earlier && Number.isFinite(earlier.loss) ? earlier : bestSoFar(session, search, scored);
    if (search.means.length > 0) emit({ type: "skipped", phase: "finalists", why: unraced(winner, earlier) });
    return { models: [], winner, elapsedMs: clock.elapsedMs };
  });
  emit({ type: "finalists", models: record.models, winner: record.winner.name });
  return record;
}

/** The finalists on as many rows as there is time for; undefined where there is none, or nothing to score. */
async function race(
  session: Session,
  { means }: SearchState,
  scored: ScoredBaselines,
  earlier: ScoredModel | undefined,
): Promise<RecordPayloads["finalists"] | undefined> {
  const { genome, order, clock, recorder, signal } = session;
  const begun = recorder.begun("finalists");
  const effort = finishWithin(session, clock.remainingMs);
  const merges = recommendations(means)
    .slice(0, begun?.models.length ?? effort.finalists)
    .map(({ name, point }) => ({ name, recipe: genome.decode(point) }));
  if (merges.length === 0) return undefined;
  const counts = begun?.rows ?? scored.rungs.rows;
  const rows = order.rows("search", counts);
  const scope = { models: merges.map(({ name }) => name), rows: counts };
  const recipes = merges.map(({ recipe }) => recipe);
  const met = await withDeadline(
    clock.remainingMs - guardTime(session, order.counts("guard", LEAST_GUARD)) - exportTime(session),
    signal,
    (inTime) => scoreInParts(session, "finalists", recipes, rows, { signal: inTime, scope }),
    clock.wall,
  );
  if (!met) return undefined;
  const models = met.evaluations.map((evaluation, i) =>
    scoredModel(merges[i] ?? absent(), evaluation, rows, scored.objective),
  );
  const standing = longest(scored.baselines);
  const winner = leastLoss(earlier ? [...standing, earlier] : standing, models);
  return { models, winner, rows: counts, time: met.time, elapsedMs: clock.elapsedMs };
}

function unraced(winner: ScoredModel, earlier: ScoredModel | undefined): string {
  if (winner === earlier) return "the budget ended; the earlier winner stays";
  return winner.name === EVOLVED
    ? "the budget ended; the last mean that was scored wins, on the rows of its generation it beats the best baseline"
    : "the budget ended; the best baseline wins, on the rows of the last generation it does as well as the search's mean";
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

function absent(): never {
  throw new Error("finalists: an evaluation without a recipe");
}
