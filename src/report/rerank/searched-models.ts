/** The models of a run with their losses on search rows, as its journal has them. */
import { isDeepStrictEqual } from "node:util";
import type { Task } from "../../experiment/load-tasks.ts";
import type { JournalView } from "../../journal/journal.ts";
import { EVOLVED, type NumbersRef, type RowCounts, type TaskScores } from "../../journal/records.ts";
import { standingOf } from "../../journal/standing.ts";
import { RowOrder, sameCounts } from "../../run/session/row-order.ts";
import { freshRows } from "../../run/search/record-ask.ts";
import { longest, lossesOnRungs, type RungLosses } from "../../run/baselines/scored-rungs.ts";
import { generationsIn, ofCandidate } from "../generation-losses.ts";

/** A model and what it scored on so many search rows. */
export interface SearchedModel {
  readonly name: string;
  readonly scores: TaskScores;
  readonly rows: RowCounts;
  /** Of each row, where that is recorded and the rows are at hand. */
  readonly losses?: RungLosses;
}

/** All models of a run that were compared on the same search rows, and those that met others. */
export interface SearchedModels {
  readonly rows: RowCounts;
  readonly compared: readonly SearchedModel[];
  /** Baselines that were left behind after a part of the rows, or the mean of a search that is not over. */
  readonly others: readonly SearchedModel[];
  /** Which of the others is the latest of a search that is not over. */
  readonly latest?: string;
  /** What the winner is called among them. */
  readonly winner?: string;
}

/** Rows of a run, and the seed that orders them. */
export interface RowsAtHand {
  readonly tasks: readonly Task[];
  readonly seed: number;
}

/** Undefined where no baseline was scored. Without the rows, losses are means alone, and baselines on more rows than the finalists are others. */
export function searchedModels(view: JournalView, atHand?: RowsAtHand): SearchedModels | undefined {
  const { winner, baselines } = standingOf(view.records);
  if (!baselines) return undefined;
  const finalists = view.records.findLast((record) => record.type === "finalists");
  const rows = finalists?.rows ?? longest(baselines.models)[0]?.rows ?? {};
  const order = atHand && new RowOrder(atHand.tasks, atHand.seed);
  const standing = baselines.models.map((model) => scoredBaseline(view, model, rows, order));
  const evolved = finalists?.rows ? finalistsOf(view, { ...finalists, rows: finalists.rows }, order) : [];
  const own = evolved.find(({ scores }) => isDeepStrictEqual(scores, winner?.scores));
  // One that an earlier budget led to is not among the last finalists.
  const kept =
    winner?.name === EVOLVED && !own && finalists?.rows
      ? [{ name: EVOLVED, scores: winner.scores, rows: finalists.rows }]
      : [];
  const all = [...standing, ...evolved, ...kept];
  const latest = finalists || !atHand ? undefined : latestReference(view, atHand);
  return {
    rows,
    compared: all.filter((model) => sameCounts(rows, model.rows)),
    others: [...all.filter((model) => !sameCounts(rows, model.rows)), ...(latest ? [latest] : [])],
    ...(latest && { latest: latest.name }),
    ...(winner && { winner: own?.name ?? winner.name }),
  };
}

/** Of more rows than the finalists met it has what it scored on theirs. */
function scoredBaseline(
  view: JournalView,
  { name, scores, rows: met }: SearchedModel,
  rows: RowCounts,
  order: RowOrder | undefined,
): SearchedModel {
  if (!order) return { name, scores, rows: met };
  const rungs = view.records.filter((record) => record.type === "rung");
  const climbed = rungs.length > 0 ? rungs : view.records.filter((record) => record.type === "forecast");
  const losses = lossesOnRungs(climbed, name, order, view);
  const isMore = Object.entries(rows).every(([task, count]) => (met[task] ?? 0) >= count);
  if (!isMore || sameCounts(rows, met)) return { name, scores, rows: met, losses };
  return { name, scores: meanScores(losses, order.rows("search", rows)), rows, losses };
}

function finalistsOf(
  view: JournalView,
  finalists: {
    readonly models: readonly Pick<SearchedModel, "name" | "scores">[];
    readonly rows: RowCounts;
    readonly rowLosses?: NumbersRef;
  },
  order: RowOrder | undefined,
): readonly SearchedModel[] {
  const { models, rows, rowLosses } = finalists;
  const all = rowLosses && order && view.readNumbers(rowLosses);
  return models.map(({ name, scores }, i) => ({
    name,
    scores,
    rows,
    ...(all && { losses: byRow(ofCandidate(all, i, models.length), order.rows("search", rows)) }),
  }));
}

/** The last reference of a search, on the rows of its generation. */
function latestReference(view: JournalView, { tasks, seed }: RowsAtHand): SearchedModel | undefined {
  const latest = generationsIn(view).findLast(({ result }) => Number.isFinite(result.losses[result.reference]));
  if (!latest) return undefined;
  const { generation, rows: counts } = latest.ask;
  const { rowLosses, losses: candidates, reference } = latest.result;
  const rows = freshRows({ tasks, experiment: { seed } }, counts, generation);
  const losses = byRow(ofCandidate(view.readNumbers(rowLosses), reference, candidates.length), rows);
  return { name: `generation ${generation}`, scores: meanScores(losses, rows), rows: counts, losses };
}

/** Losses that lie task by task. */
function byRow(losses: Float64Array, rows: ReturnType<RowOrder["rows"]>): RungLosses {
  let next = 0;
  return new Map(
    Object.entries(rows).map(([task, own]) => [task, new Map(own.map(({ id }) => [id, losses[next++] ?? Number.NaN]))]),
  );
}

function meanScores(losses: RungLosses, rows: ReturnType<RowOrder["rows"]>): TaskScores {
  const entries = Object.entries(rows).map(([task, own]) => {
    const sum = own.reduce((total, { id }) => total + (losses.get(task)?.get(id) ?? Number.NaN), 0);
    return [task, { loss: sum / own.length }] as const;
  });
  return Object.fromEntries(entries);
}
