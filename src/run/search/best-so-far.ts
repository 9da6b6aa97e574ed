import { mean } from "simple-statistics";
import { EVOLVED, type ScoredModel } from "../../journal/records.ts";
import type { Selection } from "../../evaluate/evaluator.ts";
import { factorOf, type ObjectiveTask } from "../session/objective.ts";
import { bestFirst } from "../baselines/baselines.ts";
import type { ScoredBaselines } from "../baselines/score-baselines.ts";
import { longest, type ScoredBaseline } from "../baselines/scored-rungs.ts";
import type { ScoredReference, SearchState } from "./search-state.ts";
import type { Session } from "../session/session.ts";

/** Rows of each task on which a mean and a baseline must have met for the one to take the place of the other. */
const LEAST_SHARED = 8;

/**
 * The merge to take where no finalist was scored: the mean that the last generation was scored with, if it has less loss
 * than the best baseline on the rows that both have met, and these are not too few; or else that baseline.
 */
export function bestSoFar(session: Session, { lastScored }: SearchState, scored: ScoredBaselines): ScoredModel {
  const best = leastLoss(longest(scored.baselines), []);
  if (!lastScored) return best;
  const own = lossesOf(session, lastScored);
  const known = scored.rungs.lossesOf(best.name, session.order, session.recorder);
  const shared = Array.from(own, ([task, losses]) => {
    const ids = [...losses.keys()].filter((id) => known.get(task)?.has(id));
    return [task, ids] as const;
  });
  if (scored.objective.some(({ name }) => (shared.find(([task]) => task === name)?.[1].length ?? 0) < LEAST_SHARED)) {
    return best;
  }
  const gain = combined(
    scored.objective,
    shared,
    (task, id) => (known.get(task)?.get(id) ?? 0) - (own.get(task)?.get(id) ?? 0),
  );
  if (!(gain > 0)) return best;
  const scores = Array.from(own, ([task, losses]) => [task, { loss: mean([...losses.values()]) }] as const);
  return {
    name: EVOLVED,
    recipe: session.genome.decode(lastScored.point),
    scores: Object.fromEntries(scores),
    // Not that of its generation, which may have had the unit of fewer rows.
    loss: combined(scored.objective, ids(own), (task, id) => own.get(task)?.get(id) ?? Number.NaN),
  };
}

/** Baselines with what they scored on some of the rows that they met. */
export function onRows(
  { order, recorder }: Session,
  { rungs, objective }: ScoredBaselines,
  baselines: readonly ScoredBaseline[],
  rows: Selection,
): readonly ScoredModel[] {
  if (
    baselines.every((baseline) => Object.entries(rows).every(([task, { length }]) => baseline.rows[task] === length))
  ) {
    return baselines;
  }
  const shared = Object.entries(rows).map(([task, own]) => [task, own.map(({ id }) => id)] as const);
  return baselines.map((baseline) => {
    const losses = rungs.lossesOf(baseline.name, order, recorder);
    const lossOf = (task: string, id: string): number => losses.get(task)?.get(id) ?? Number.NaN;
    const scores = shared.map(([task, ids]) => [task, { loss: mean(ids.map((id) => lossOf(task, id))) }] as const);
    return { ...baseline, scores: Object.fromEntries(scores), loss: combined(objective, shared, lossOf) };
  });
}

/** The best of some baselines and some merges of the search on the same rows; baselines keep their place. */
export function leastLoss(baselines: readonly ScoredModel[], evolved: readonly ScoredModel[]): ScoredModel {
  const [best] = bestFirst([...baselines, ...evolved]);
  if (!best) throw new Error("finalists: no model has a finite loss");
  const { name, recipe, scores, loss } = best;
  return { name: evolved.includes(best) ? EVOLVED : name, recipe, scores, loss };
}

/** The losses of a scored mean, by task and the row's id. */
function lossesOf(
  { recorder }: Session,
  { rows, rowLosses, index }: ScoredReference,
): Map<string, Map<string, number>> {
  const losses = recorder.readNumbers(rowLosses);
  let next = index * Object.values(rows).reduce((sum, { length }) => sum + length, 0);
  return new Map(
    Object.entries(rows).map(([task, own]) => [task, new Map(own.map(({ id }) => [id, losses[next++] ?? Number.NaN]))]),
  );
}

function ids(losses: ReadonlyMap<string, ReadonlyMap<string, number>>): [task: string, ids: string[]][] {
  return Array.from(losses, ([task, own]) => [task, [...own.keys()]]);
}

/** A mean over the rows of each task, combined as losses are; NaN where a task has no row. */
function combined(
  objective: readonly ObjectiveTask[],
  rows: readonly (readonly [task: string, ids: readonly string[]])[],
  value: (task: string, id: string) => number,
): number {
  return objective.reduce((sum, task) => {
    const ids = rows.find(([name]) => name === task.name)?.[1] ?? [];
    return (
      sum + (ids.length === 0 ? Number.NaN : factorOf(task, objective) * mean(ids.map((id) => value(task.name, id))))
    );
  }, 0);
}
