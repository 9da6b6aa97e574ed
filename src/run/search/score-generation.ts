import type { RowLosses, Selection } from "../../evaluate/evaluator.ts";
import type { RecordedTime } from "../../journal/records.ts";
import { differentiateInParts } from "./differentiate-in-parts.ts";
import type { ObjectiveTask } from "../session/objective.ts";
import { type InPartsOptions, scoreInParts } from "../scoring/score-in-parts.ts";
import { generationKind } from "../estimates/search-kind.ts";
import type { Session } from "../session/session.ts";

/** What is scored of a generation. */
export interface AskedGeneration {
  readonly points: readonly Float64Array[];
  /** Of the tasks in the loss of each point that is differentiated; those of the combined loss unless given. */
  readonly weights?: readonly (readonly number[])[];
  readonly rows: Selection;
  /** Of the rows, in which gradients are recorded. */
  readonly parts: number;
}

/** What the points of a generation made of its rows. */
export interface ScoredGeneration {
  readonly evaluations: readonly RowLosses[];
  /** Of the losses, by their weights, by the coordinates of the unit cube, of each point, where the optimizer wants them. */
  readonly gradients?: readonly Float64Array[];
  /** Of what was scored since the last part that was recorded. */
  readonly time: RecordedTime;
}

/** Scores the points of a generation on its rows, and differentiates their losses where the optimizer wants that. */
export async function scoreGeneration(
  session: Session,
  asked: AskedGeneration,
  objective: readonly ObjectiveTask[],
  options: InPartsOptions,
): Promise<ScoredGeneration> {
  if (generationKind(session).usesGradients) return differentiateInParts(session, asked, objective, options);
  const recipes = asked.points.map((point) => session.genome.decode(point));
  return scoreInParts(session, "search", recipes, asked.rows, options);
}
