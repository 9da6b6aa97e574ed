import type { Selection } from "../../evaluate/evaluator.ts";
import type { RecordPayloads } from "../../journal/records.ts";
import { isFlat } from "../../search/flatness.ts";
import type { Score } from "../../search/optimizer.ts";
import { type ObjectiveTask, scaledLosses } from "../session/objective.ts";
import { frontKindOf } from "../estimates/search-kind.ts";
import type { Session } from "../session/session.ts";

/** What an optimizer is told of a generation, all of it from what was recorded. */
export function toldScores(
  session: Session,
  { losses, gradients, rowLosses }: Pick<RecordPayloads["result"], "losses" | "gradients" | "rowLosses">,
  objective: readonly ObjectiveTask[],
  rows: Selection,
): Score[] {
  const { recorder, genome } = session;
  const all = gradients && recorder.readNumbers(gradients);
  const front = frontKindOf(session);
  const ofRows = front && recorder.readNumbers(rowLosses);
  const count = Object.values(rows).reduce((sum, { length }) => sum + length, 0);
  // Another budget may bring other units, in which the losses of survivors would not compare.
  const units = front === "survivors" ? objective.map((task) => ({ ...task, scale: 1 })) : objective;
  return losses.map((loss, i) => ({
    loss,
    ...(all && { gradient: all.slice(i * genome.dimension, (i + 1) * genome.dimension) }),
    ...(ofRows && { losses: scaledLosses(ofRows.subarray(i * count, (i + 1) * count), units, rows) }),
  }));
}

/** Whether all candidates have nearly the same losses: combined, or where tasks are objectives of their own, on each. */
export function areFlat(scores: readonly Score[], reference: number): boolean {
  const objectives = scores[0]?.losses?.map((_, task) => scores.map(({ losses }) => losses?.[task] ?? Number.NaN));
  return (objectives ?? [scores.map(({ loss }) => loss)]).every((losses) => isFlat({ losses, reference }));
}
