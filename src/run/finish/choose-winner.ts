import { isDeepStrictEqual } from "node:util";
import {
  EVOLVED,
  type ModelLosses,
  type RecordPayloads,
  type RowCounts,
  type ScoredModel,
} from "../../journal/records.ts";
import { bestSoFar, leastLoss, onRows } from "../search/best-so-far.ts";
import type { Effort } from "../estimates/effort.ts";
import { exportTime, finishWithin, guardTime, searchCounts } from "../estimates/finish-time.ts";
import { combinedScores } from "../session/objective.ts";
import type { ScoredBaselines } from "../baselines/score-baselines.ts";
import { scoreInParts } from "../scoring/score-in-parts.ts";
import { scoreInTime } from "../scoring/score-in-time.ts";
import { finalistsIn } from "../estimates/finish-models.ts";
import { recommendations } from "./finalists.ts";
import { type Front, frontAmong } from "./front.ts";
import { thinned } from "./thin-front.ts";
import type { Recipe } from "../../merge/recipe.ts";
import { covers, fewer, sameCounts } from "../session/row-order.ts";
import { longest } from "../baselines/scored-rungs.ts";
import { frontKindOf } from "../estimates/search-kind.ts";
import type { SearchState } from "../search/search-state.ts";
import { flatLosses, scoredModel, type Session } from "../session/session.ts";

/** Of the guard rows: what finalists that take longer than expected leave. */
const LEAST_GUARD = 1 / 8;

/** A winner, and the search rows on which it was compared with the others. */
export interface Champion {
  readonly winner: ScoredModel;
  readonly rows: RowCounts;
  /** Generations that had been scored. */
  readonly generations: number;
}

/** What won before is scored again where it is to be compared on other rows. */
const EARLIER = "earlier winner";

/**
 * Scores the means of the search on search rows that the baselines met, all of them or as many as there is time for; the
 * least loss wins, and a baseline, or what won before, keeps its place where it does as well. The guard rows have no part
 * in this, so that their verdict on the winner is of one model chosen beforehand.
 */
export async function chooseWinner(
  session: Session,
  search: SearchState,
  scored: ScoredBaselines,
  earlier?: Champion,
): Promise<Pick<RecordPayloads["finalists"], "winner" | "rows"> & { readonly front?: Front }> {
  const { recorder, clock, emit, genome } = session;
  const record = await recorder.step("finalists", async () => {
    const met = await race(session, search, scored, earlier);
    if (met) return met;
    const kept = earlier && keptUnraced(earlier, scored);
    const winner = kept ?? bestSoFar(session, search, scored);
    const why = kept ? "the budget has no time left for it; the earlier winner stays" : unraced(winner);
    if (search.means.length > 0) emit({ type: "skipped", phase: "finalists", why });
    return { models: [], winner, elapsedMs: clock.elapsedMs };
  });
  const { models, winner, rows, front } = record;
  emit({ type: "finalists", models: beside(winner, models), winner: winner.name, ...(front && { front }) });
  if (!front) return { winner, ...(rows && { rows }) };
  const merges = new Map<string, () => Recipe>([
    ...scored.baselines.map(({ name, recipe }) => [name, () => recipe] as const),
    ...recommendations(session, search).map(({ name, point }) => [name, () => genome.decode(point)] as const),
    ...(earlier ? [[EARLIER, () => earlier.winner.recipe] as const] : []),
  ]);
  return { winner, ...(rows && { rows }), front: { members: front, recipes: merges } };
}

/** Finalists with the baseline that beat them, by its losses on their rows, which may be fewer than those that it met with the others. */
function beside({ name, scores, loss }: ScoredModel, finalists: readonly ModelLosses[]): readonly ModelLosses[] {
  return finalists.length === 0 || name === EVOLVED ? finalists : [...finalists, { name, scores, loss }];
}

function isEvolved({ name }: ScoredModel): boolean {
  return name === EVOLVED;
}

/** The finalists on as many rows as there is time for, on fewer where that takes too long; undefined where there is none, or nothing to score. */
async function race(
  session: Session,
  search: SearchState,
  scored: ScoredBaselines,
  earlier: Champion | undefined,
): Promise<RecordPayloads["finalists"] | undefined> {
  const { clock } = session;
  let effort = finishWithin(session, clock.remainingMs);
  for (;;) {
    const met = await raceWith(session, effort, search, scored, earlier);
    if (met !== "given up") return met;
    effort = finishWithin(session, clock.remainingMs, effort);
  }
}

async function raceWith(
  session: Session,
  effort: Effort,
  search: SearchState,
  scored: ScoredBaselines,
  earlier: Champion | undefined,
): Promise<RecordPayloads["finalists"] | "given up" | undefined> {
  const { genome, order, clock, recorder } = session;
  const { means } = search;
  const begun = recorder.begun("finalists");
  const counts = begun?.rows ?? fewer(scored.rungs.rows, searchCounts(session, effort));
  if (!begun && earlier?.generations === means.length && covers(earlier.rows, counts)) {
    return stillBest(session, earlier, scored);
  }
  const finalists = recommendations(session, search).slice(
    0,
    begun?.models.filter((name) => name !== EARLIER).length ?? finalistsIn(session, effort),
  );
  if (finalists.length === 0) return undefined;
  const evolved = finalists.map(({ name, point }) => ({ name, recipe: genome.decode(point) }));
  const isKnown = !earlier || evolved.some(({ recipe }) => isDeepStrictEqual(recipe, earlier.winner.recipe));
  const again = !isKnown && earlier.winner.name === EVOLVED && !sameCounts(earlier.rows, counts);
  const merges = [...evolved, ...(again ? [{ name: EARLIER, recipe: earlier.winner.recipe }] : [])];
  const rows = order.rows("search", counts);
  const scope = { models: merges.map(({ name }) => name), rows: counts };
  const recipes = merges.map(({ recipe }) => recipe);
  // A verdict is nothing without a winner that was compared.
  const guardMs =
    effort.guard === 0 ? 0 : guardTime(session, order.counts("guard", Math.min(effort.guard, LEAST_GUARD)));
  const afterMs = guardMs + exportTime(session);
  const met = await scoreInTime(session, { models: merges.length, rows, by: "evaluator", afterMs }, (inTime) =>
    scoreInParts(session, "finalists", recipes, rows, { ...inTime, scope }),
  );
  if (!met) return "given up";
  const models = met.evaluations.map((evaluation, i) =>
    scoredModel(merges[i] ?? absent(), evaluation, rows, scored.objective),
  );
  const standing = onRows(session, scored, longest(scored.baselines), rows);
  const kept = earlier && sameCounts(earlier.rows, counts) ? [inUnit(earlier.winner, scored)] : [];
  const winner = leastLoss([...standing, ...kept], models);
  const front = frontKindOf(session)
    ? frontAmong([...standing, ...kept.filter(isEvolved).map((model) => ({ ...model, name: EARLIER })), ...models])
    : undefined;
  const compared = {
    rows,
    evaluated: new Map(met.evaluations.map((evaluation, i) => [merges[i]?.name ?? absent(), evaluation])),
    baseline: (name: string) => scored.rungs.lossesOf(name, order, recorder),
  };
  return {
    models: models.map(({ name, scores, loss }) => ({ name, scores, loss })),
    winner,
    ...(front && { front: thinned(front, compared) }),
    rows: counts,
    rowLosses: recorder.storeNumbers(flatLosses(met.evaluations)),
    time: met.time,
    elapsedMs: clock.elapsedMs,
  };
}

/** What won before and the baselines of now: the search has not moved, and all its finalists have met these rows. */
function stillBest(session: Session, { winner, rows }: Champion, scored: ScoredBaselines): RecordPayloads["finalists"] {
  const standing = onRows(session, scored, longest(scored.baselines), session.order.rows("search", rows));
  const best = leastLoss([inUnit(winner, scored), ...standing], []);
  return { models: [], winner: best, rows, elapsedMs: session.clock.elapsedMs };
}

/** What won before, where nothing that could beat it has met its rows; a baseline only where there are no more of them. */
function keptUnraced({ winner, rows }: Champion, scored: ScoredBaselines): ScoredModel | undefined {
  if (winner.name !== EVOLVED && !sameCounts(rows, scored.rungs.rows)) return undefined;
  return inUnit(winner, scored);
}

/** A model with its loss in the unit of now: more rows of the baselines make another. */
function inUnit(model: ScoredModel, { objective }: ScoredBaselines): ScoredModel {
  return { ...model, loss: combinedScores(model.scores, objective) };
}

function unraced(winner: ScoredModel): string {
  return winner.name === EVOLVED
    ? "the budget has no time left for it; the last mean that was scored wins, it beats the best baseline on the rows of its generation that both met"
    : "the budget has no time left for it; the best baseline wins, and whether the search's mean is better is not known";
}

function absent(): never {
  throw new Error("finalists: an evaluation without a recipe");
}
