import type { Evaluation, EvaluationGradient, Selection } from "../evaluate/evaluator.ts";
import { knownTensors } from "../experiment/identity.ts";
import type { RecordedTime } from "../journal/records.ts";
import type { Recipe } from "../merge/recipe.ts";
import { rowWeights, type ObjectiveTask } from "./objective.ts";
import { type InPartsOptions, progressOf, scoreInParts } from "./score-in-parts.ts";
import { generationKind } from "./search-kind.ts";
import type { Session } from "./session.ts";

/** What the points of a generation made of its rows. */
export interface ScoredGeneration {
  readonly evaluations: readonly Pick<Evaluation, "scores">[];
  /** Of the combined losses by the coordinates of the unit cube, of each point, where the optimizer wants them. */
  readonly gradients?: readonly Float64Array[];
  readonly time: RecordedTime;
}

/** Scores the points of a generation on its rows, and differentiates their losses where the optimizer wants that. */
export async function scoreGeneration(
  session: Session,
  points: readonly Float64Array[],
  rows: Selection,
  objective: readonly ObjectiveTask[],
  options: InPartsOptions,
): Promise<ScoredGeneration> {
  const { genome } = session;
  const recipes = points.map((point) => genome.decode(point));
  if (!generationKind(session).usesGradients) return scoreInParts(session, "search", recipes, rows, options);
  const { evaluations, time } = await differentiated(session, recipes, rows, objective, options);
  const slopes = evaluations.map(({ derivatives }) => derivatives);
  return { evaluations, gradients: points.map((point, i) => genome.pullBack(point, slopes[i] ?? {})), time };
}

/** A gradient is recorded as a whole: its parts would have to be as large after a crash for the sum to have the same bits. */
async function differentiated(
  session: Session,
  recipes: readonly Recipe[],
  rows: Selection,
  objective: readonly ObjectiveTask[],
  { signal, onShare }: InPartsOptions,
): Promise<{ readonly evaluations: readonly EvaluationGradient[]; readonly time: RecordedTime }> {
  const { workspace, recorder, clock, paces } = session;
  const began = clock.wall.now();
  const evaluations = await workspace.signal.gradient(recipes, rows, rowWeights(objective, rows), {
    signal,
    onProgress: progressOf(session, "search", onShare),
  });
  recorder.recordParents(() => knownTensors(workspace));
  const tokens = workspace.signal.tokensOf(rows);
  const time = { models: recipes.length, tokens, passes: 1, ms: clock.wall.now() - began, waitMs: 0 };
  paces.gradient.learn(time);
  return { evaluations, time };
}
