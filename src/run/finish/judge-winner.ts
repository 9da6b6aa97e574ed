import { setImmediate } from "node:timers/promises";
import type { Evaluation, Selection } from "../../evaluate/evaluator.ts";
import { effectiveGroups } from "../../statistics/clusters.ts";
import { pairedGains } from "./paired-gains.ts";
import { meanInterval } from "../../statistics/paired-test.ts";
import type { GuardedModel, JudgedPick, RecordPayloads, RowCounts, ScoredModel } from "../../journal/records.ts";
import type { Recipe } from "../../merge/recipe.ts";
import type { Baseline } from "../baselines/baselines.ts";
import { EFFORTS } from "../estimates/effort.ts";
import { exportTime, guardTime } from "../estimates/finish-time.ts";
import type { Front } from "./front.ts";
import type { ObjectiveTask } from "../session/objective.ts";
import { type GuardedPick, picksInTime, picksToJudge } from "./guarded-picks.ts";
import { bestFirst } from "../baselines/baselines.ts";
import type { ScoredBaselines } from "../baselines/score-baselines.ts";
import { scoreInParts } from "../scoring/score-in-parts.ts";
import { type InTime, scoreInTime } from "../scoring/score-in-time.ts";
import { covers } from "../session/row-order.ts";
import { longest } from "../baselines/scored-rungs.ts";
import { flatLosses, scoredModel, type Session } from "../session/session.ts";

type GuardVerdict = RecordPayloads["verdict"];

/** What there is to judge, and the verdict that there was on fewer rows. */
interface Judged {
  readonly winner: ScoredModel;
  readonly front?: Front;
  readonly verdict?: GuardVerdict;
}

/** A model that meets the guard rows. */
interface Guarded {
  readonly name: string;
  readonly kind: GuardedModel["kind"];
  readonly recipe: Recipe;
}

/**
 * Scores the winner, every parent, the uniform average, the best global weight and every given recipe on the guard
 * rows, which the search has never seen, and compares the winner with each; a second time where it was on fewer of them. Of a
 * front those that stand for it meet them too, where there is time, and are no part of that comparison.
 * Undefined when the budget ends before.
 */
export async function judgeWinner(
  session: Session,
  { winner, front, verdict: earlier }: Judged,
  scored: ScoredBaselines,
): Promise<GuardVerdict | undefined> {
  const { tasks, recorder, emit } = session;
  const verdict = recorder.replaying
    ? await recorder.step("verdict", unreachable)
    : await judgeInTime(session, winner, scored, front);
  if (verdict) {
    const { models, rows } = verdict;
    emit({ type: "verdict", models, tasks: tasks.map(({ name }) => name), rows });
  } else {
    const stays = earlier ? "the verdict stays that on fewer guard rows" : "the winner was not compared on new rows";
    emit({ type: "skipped", phase: "guard", why: `the budget has no time left for it; ${stays}` });
  }
  return verdict;
}

/** On as many guard rows as there is time for, on fewer where that takes too long. */
async function judgeInTime(
  session: Session,
  winner: ScoredModel,
  scored: ScoredBaselines,
  front: Front | undefined,
): Promise<GuardVerdict | undefined> {
  const { recorder, order } = session;
  const guarded: Guarded[] = [...standing(scored.baselines, winner), { ...winner, kind: "winner" }];
  let counts = guardCounts(session);
  while (counts) {
    const rows = counts;
    const picks = front ? picksInTime(session, rows, picksToJudge(front, guarded, winner)) : [];
    const models = guarded.length + picks.length;
    const timely = { models, rows: order.rows("guard", rows), by: "evaluator" } as const;
    const verdict = await scoreInTime(session, { ...timely, afterMs: exportTime(session) }, (inTime) =>
      recorder.step("verdict", () => judge(session, { guarded, picks }, scored.objective, rows, inTime)),
    );
    if (verdict) return verdict;
    counts = guardCounts(session, rows);
  }
  return undefined;
}

/** Whether a verdict is on a part of the guard rows, and there is time for one on more. */
export function canJudgeMore(session: Session, { rows }: GuardVerdict): boolean {
  const { recorder } = session;
  if (recorder.readOnly || recorder.upcoming !== undefined) return false;
  const counts = guardCounts(session);
  return counts !== undefined && !covers(rows, counts);
}

/** As many guard rows as there is time for, those that were begun with, fewer than were given up; undefined where there is no time for any. */
function guardCounts(session: Session, givenUp?: RowCounts): RowCounts | undefined {
  const { recorder, order, clock } = session;
  const begun = recorder.begun("verdict");
  if (begun) return begun.rows;
  const leftMs = clock.remainingMs - exportTime(session);
  const shares = [...new Set(EFFORTS.map(({ guard }) => guard))].filter((share) => share > 0);
  return shares
    .map((share) => order.counts("guard", share))
    .filter((counts) => !givenUp || !covers(counts, givenUp))
    .find((counts) => guardTime(session, counts) <= leftMs);
}

async function judge(
  session: Session,
  { guarded, picks }: { readonly guarded: readonly Guarded[]; readonly picks: readonly GuardedPick[] },
  objective: readonly ObjectiveTask[],
  counts: RowCounts,
  inTime: InTime,
): Promise<GuardVerdict> {
  const { recorder, clock, order } = session;
  const rows = order.rows("guard", counts);
  const digestOf = guarded.length - 1;
  const all = [...guarded, ...picks];
  const recipes = all.map(({ recipe }) => recipe);
  const scope = { models: all.map(({ name }) => name), rows: counts };
  const { evaluations, time } = await scoreInParts(session, "guard", recipes, rows, { ...inTime, digestOf, scope });
  const last = evaluations[digestOf];
  if (last?.digest === undefined) throw new Error("guard: the winner's weights were not hashed");
  const models: GuardedModel[] = [];
  for (const [i, model] of guarded.entries()) {
    // Thousands of resamples a model: between two models the event loop, and the deadline, get their turn.
    await setImmediate();
    inTime.signal.throwIfAborted();
    const evaluation = evaluations[i] ?? last;
    const intervals = intervalsOf(session, evaluation, rows);
    const scored = { kind: model.kind, ...scoredModel(model, evaluation, rows, objective), intervals };
    const isWinner = model.kind === "winner";
    models.push(isWinner ? scored : { ...scored, gains: gainsOver(session, evaluation, last, rows, objective) });
  }
  const judgedPicks: JudgedPick[] = [];
  for (const [i, { place, ...pick }] of picks.entries()) {
    await setImmediate();
    inTime.signal.throwIfAborted();
    const evaluation = evaluations[guarded.length + i] ?? last;
    const { scores, loss } = scoredModel(pick, evaluation, rows, objective);
    const gains = gainsOver(session, evaluation, last, rows, objective);
    judgedPicks.push({ place, scores, loss, intervals: intervalsOf(session, evaluation, rows), gains });
  }
  return {
    models,
    ...(judgedPicks.length > 0 && { picks: judgedPicks }),
    groups: Object.fromEntries(
      Object.entries(rows).map(([task, own]) => [task, effectiveGroups(own.map(({ group }) => group))]),
    ),
    weightsDigest: last.digest,
    rows: counts,
    outOf: order.counts("guard", 1),
    rowLosses: recorder.storeNumbers(flatLosses(evaluations.slice(0, guarded.length))),
    time,
    elapsedMs: clock.elapsedMs,
  };
}

/** The baselines that the verdict names: all, but of the global weights only the best on the search rows. */
function standing(baselines: ScoredBaselines["baselines"], winner: ScoredModel): readonly Baseline[] {
  const [bestGlobal] = bestFirst(longest(baselines).filter(({ kind }) => kind === "global"));
  return baselines.filter(
    (baseline) => baseline.name !== winner.name && (baseline.kind !== "global" || baseline === bestGlobal),
  );
}

/** The winner's gains over another model on the same rows. */
function gainsOver(
  { experiment }: Session,
  model: Evaluation,
  winner: Evaluation,
  rows: Selection,
  objective: readonly ObjectiveTask[],
): NonNullable<GuardedModel["gains"]> {
  const baseline = (task: string): readonly number[] => lossesOf(model, task);
  const candidate = (task: string): readonly number[] => lossesOf(winner, task);
  return pairedGains({ baseline, candidate, rows, objective, seed: experiment.seed });
}

function intervalsOf({ experiment }: Session, evaluation: Evaluation, rows: Selection): GuardedModel["intervals"] {
  const entries = Object.entries(rows).map(([task, own]) => {
    const groups = own.map(({ group }) => group);
    return [task, meanInterval(lossesOf(evaluation, task), groups, { seed: experiment.seed }).interval];
  });
  return Object.fromEntries(entries) as GuardedModel["intervals"];
}

function lossesOf({ scores }: Evaluation, task: string): number[] {
  return (scores[task] ?? []).map(({ loss }) => loss);
}

function unreachable(): never {
  throw new Error("guard: a recorded verdict was scored");
}
