/** The models of a run under other weights of its tasks, from what its journal has of their losses: nothing is scored again. */
import { UserError } from "../../errors.ts";
import type { Experiment } from "../../experiment/experiment.ts";
import { readJournal, type JournalView } from "../../journal/journal.ts";
import { EVOLVED, type Gain, type GuardedModel, type RowCounts, type TaskScores } from "../../journal/records.ts";
import { standingOf } from "../../journal/standing.ts";
import { bestFirst } from "../../run/baselines/baselines.ts";
import { combinedScores, type ObjectiveTask } from "../../run/session/objective.ts";
import { pairedGains } from "../../run/finish/paired-gains.ts";
import { type ProvenTasksOptions, readProvenTasks } from "../../run/recorded/proven-tasks.ts";
import { experimentOf } from "../../run/recorded/recorded-run.ts";
import { mapTasks } from "../../run/scoring/deal-rows.ts";
import { guardedAgain } from "./guard-again.ts";
import { type RowsAtHand, type SearchedModel, type SearchedModels, searchedModels } from "./searched-models.ts";

/** By task; those that are not named keep theirs. */
export type TaskWeights = Readonly<Record<string, number>>;

/** A model under the weights of now. */
export interface RerankedModel {
  /** As the journal has it: of finalists such as `last mean`. */
  readonly name: string;
  readonly scores: TaskScores;
  /** Combined; 1 is the uniform average. */
  readonly loss: number;
  /** The same under the run's own weights. */
  readonly lossBefore: number;
  readonly rows: RowCounts;
}

/** What other weights would have made of a run, as plain data that JSON can hold. */
export interface Reranking {
  readonly folder: string;
  /** Of all tasks. */
  readonly weights: TaskWeights;
  readonly weightsBefore: TaskWeights;
  /** All on the same search rows, the least loss first. */
  readonly models: readonly RerankedModel[];
  /** On other search rows, so that their losses do not compare with these. */
  readonly others: readonly RerankedModel[];
  /** The first of the models; the run's own winner where it does as well. */
  readonly winner: string;
  /** What won in the run; absent where it is not over. */
  readonly winnerBefore?: string;
  /** Of the winner over the one before, on the search rows that both were chosen on; absent where it is the same, or losses of single rows are not recorded. */
  readonly gain?: Gain;
  /** Where a search that is not over has come to, beside the winner on the rows that both met; absent where these are too few. */
  readonly soFar?: { readonly name: string; readonly rows: RowCounts; readonly gain: Gain };
  /** Models that the guard rows judged, with the winner's gains over them where it is one of them. */
  readonly guard?: {
    readonly models: readonly GuardedModel[];
    readonly groups: Readonly<Record<string, number>>;
    readonly rows: RowCounts;
    readonly outOf: RowCounts;
    readonly hasMetWinner: boolean;
    /** How often the guard rows were looked at, this time included where weights are others. */
    readonly looks: number;
  };
  /** Why there are no intervals, where the rows are not at hand. */
  readonly withoutRows?: string;
}

/**
 * Ranks the models of a run under other weights of its tasks. Neither models nor an engine are needed, and of the rows only the
 * groups, for intervals. A UserError for a task that it does not have, and for a run that has scored no baselines.
 */
export async function rerankRun(
  folder: string,
  given: TaskWeights,
  options: ProvenTasksOptions = {},
): Promise<Reranking> {
  const view = readJournal(folder);
  const experiment = experimentOf(folder, view.records);
  const weights = weightsFor(folder, experiment, given);
  const atHand = await rowsAtHand(folder, view, experiment, options);
  const rows = typeof atHand === "string" ? undefined : atHand;
  const found = searchedModels(view, rows);
  const scales = standingOf(view.records).baselines?.scales;
  if (!found || !scales)
    throw new UserError(
      `${folder}: the run has scored no baselines yet, so that there is nothing to rank; let it go on`,
    );
  const before = experiment.tasks.map(({ name, weight }) => ({ name, weight, scale: scales[name] ?? Number.NaN }));
  const objective = before.map((task) => ({ ...task, weight: weights[task.name] ?? task.weight }));
  const ranked = ({ name, scores, rows: met }: SearchedModel): RerankedModel => ({
    name,
    scores,
    loss: combinedScores(scores, objective),
    lossBefore: combinedScores(scores, before),
    rows: met,
  });
  const models = bestFirst(winnerFirst(found).map(ranked));
  const [best] = models;
  if (!best) throw new UserError(`${folder}: no model has a finite loss under these weights`);
  const compared = new Map([...found.compared, ...found.others].map((model) => [model.name, model]));
  const winners = rows && { rows, objective, own: compared.get(best.name), other: compared.get(found.winner ?? "") };
  const gain = winners && best.name !== found.winner ? sharedGain(winners)?.gain : undefined;
  const latest = found.latest === undefined ? undefined : compared.get(found.latest);
  const soFar = latest && rows && sharedGain({ rows, objective, own: latest, other: compared.get(best.name) });
  const isOther = before.some(({ name, weight }) => weight !== weights[name]);
  const guard = guardOf(view, { found, winner: best.name, objective, atHand: rows, isOther });
  return {
    folder,
    weights,
    weightsBefore: Object.fromEntries(before.map(({ name, weight }) => [name, weight])),
    models,
    others: found.others.map(ranked).toSorted((a, b) => a.loss - b.loss),
    winner: best.name,
    ...(found.winner !== undefined && { winnerBefore: found.winner }),
    ...(gain && { gain }),
    ...(latest && soFar && { soFar: { name: latest.name, ...soFar } }),
    ...(guard && { guard }),
    ...(typeof atHand === "string" && { withoutRows: atHand }),
  };
}

function weightsFor(folder: string, { tasks }: Experiment, given: TaskWeights): TaskWeights {
  const names = tasks.map(({ name }) => name);
  const unknown = Object.keys(given).find((name) => !names.includes(name));
  if (unknown !== undefined)
    throw new UserError(`${folder}: the run has no task "${unknown}"; expected ${names.join(", ")}`);
  const weights = tasks.map(({ name, weight }) => [name, given[name] ?? weight] as const);
  if (weights.some(([, weight]) => !(weight >= 0 && weight <= 1e6)) || weights.every(([, weight]) => weight === 0))
    throw new UserError(
      `${folder}: expected weights from 0 to 1e6, not all of them 0; found ${weights.map(([name, weight]) => `${name}=${weight}`).join(",")}`,
    );
  return Object.fromEntries(weights);
}

/** The rows of the run, or why they are not there. */
async function rowsAtHand(
  folder: string,
  { records }: JournalView,
  { seed }: Experiment,
  options: ProvenTasksOptions,
): Promise<RowsAtHand | string> {
  try {
    return { tasks: await readProvenTasks(folder, records, options), seed };
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
}

/** Equals keep their order. */
function winnerFirst({ compared, winner }: SearchedModels): readonly SearchedModel[] {
  return [...compared.filter(({ name }) => name === winner), ...compared.filter(({ name }) => name !== winner)];
}

/** Of each task: with fewer rows there is nothing to compare. */
const LEAST_SHARED = 8;

/** What a model gains over another on the search rows of which both losses are known; undefined where these are too few. */
function sharedGain({
  rows: { tasks, seed },
  objective,
  own,
  other,
}: {
  readonly rows: RowsAtHand;
  readonly objective: readonly ObjectiveTask[];
  readonly own: SearchedModel | undefined;
  readonly other: SearchedModel | undefined;
}): { readonly gain: Gain; readonly rows: RowCounts } | undefined {
  const shared = tasks.map(({ name, search }) => {
    const met = search.filter(({ id }) => [own, other].every((model) => lossIn(model, name, id) !== undefined));
    return [name, met] as const;
  });
  if (shared.some(([, { length }]) => length < LEAST_SHARED)) return undefined;
  const rows = Object.fromEntries(shared);
  const lossesOf =
    (model: SearchedModel | undefined) =>
    (task: string): number[] =>
      (rows[task] ?? []).map(({ id }) => lossIn(model, task, id) ?? Number.NaN);
  const { combined } = pairedGains({ baseline: lossesOf(other), candidate: lossesOf(own), rows, objective, seed });
  return { gain: combined, rows: mapTasks(rows, ({ length }) => length) };
}

function lossIn(model: SearchedModel | undefined, task: string, id: string): number | undefined {
  return model?.losses?.get(task)?.get(id);
}

interface GuardedRanking {
  readonly found: SearchedModels;
  readonly winner: string;
  readonly objective: readonly ObjectiveTask[];
  readonly atHand: RowsAtHand | undefined;
  readonly isOther: boolean;
}

function guardOf(view: JournalView, { found, winner, objective, atHand, isOther }: GuardedRanking): Reranking["guard"] {
  const { verdict, winner: judged, looks } = standingOf(view.records);
  if (!verdict) return undefined;
  const { groups, rows, outOf } = verdict;
  // The winner of the run has a name of its own there.
  const called = winner === found.winner ? (judged?.name ?? EVOLVED) : winner;
  const place = verdict.models.findIndex(({ name }) => name === called);
  return {
    models: guardedAgain(view, verdict, { objective, winner: place, atHand }),
    groups,
    rows,
    outOf,
    hasMetWinner: place !== -1,
    looks: looks + (isOther ? 1 : 0),
  };
}
