/** How many models the phases after the search score. */
import type { Session } from "../session/session.ts";
import type { Effort } from "./effort.ts";
import { frontKindOf, populationOf } from "./search-kind.ts";

/** Of a front that is no walk's, how many stand for one finalist of other searches. */
const SURVIVORS = 4;

/** Members that meet the guard rows for their front at most: each takes as long as another baseline. */
const MOST_PICKS = 4;

/** Models on the guard rows beside the parents and the given recipes: average, best global weight, winner. */
const GUARDED_MERGES = 3;

/** How many finalists an effort has: of a front so many for each walk. */
export function finalistsIn(
  session: Pick<Session, "experiment" | "genome" | "plugins">,
  { finalists }: Pick<Effort, "finalists">,
): number {
  const front = frontKindOf(session);
  if (!front) return finalists;
  return finalists * (front === "walks" ? populationOf(session) : SURVIVORS);
}

/** How many models meet the guard rows. */
export function guardedModels({ experiment, workspace }: Pick<Session, "experiment" | "workspace">): number {
  return workspace.checkpoints.size + Object.keys(experiment.recipes ?? {}).length + GUARDED_MERGES;
}

/** How many members of its front a run brings to its guard rows at most; none where it has none. */
export function mostPicks(session: Pick<Session, "experiment">): number {
  return frontKindOf(session) ? Math.min(MOST_PICKS, session.experiment.tasks.length + 1) : 0;
}
