import type { JournalView } from "../../journal/journal.ts";
import { standingOf } from "../../journal/standing.ts";
import type { Recipe } from "../../merge/recipe.ts";
import { bestFirst } from "../baselines/baselines.ts";
import { longest } from "../baselines/scored-rungs.ts";

/** The best that a run has found so far, or a point of its search, with the names of the first genes. */
export type LeadingFind =
  | { readonly recipe: Recipe; readonly isWinner: boolean }
  | { readonly point: Float64Array; readonly genes: readonly string[] };

/**
 * The winner of a run; without one, where its search has come to, or the best baseline of one that has not begun to search.
 * Undefined where nothing was scored. Neither models nor rows are needed: whoever takes a point scores it again.
 */
export function leadingFind(view: Pick<JournalView, "records" | "readPoints">): LeadingFind | undefined {
  const { records } = view;
  const { winner, baselines } = standingOf(records);
  if (winner) return { recipe: winner.recipe, isWinner: true };
  const plan = records.find((record) => record.type === "plan");
  const result = records.findLast(
    (record) => record.type === "result" && Number.isFinite(record.losses[record.reference]),
  );
  if (plan && result?.type === "result") {
    const ask = records.find((record) => record.type === "ask" && record.generation === result.generation);
    if (ask?.type !== "ask") throw new Error("earlier run: a result without its ask");
    const points = view.readPoints(ask.points);
    const dimension = points.length / result.losses.length;
    const point = points.slice(result.reference * dimension, (result.reference + 1) * dimension);
    return { point, genes: plan.genes };
  }
  const [best] = bestFirst(longest(baselines?.models ?? []));
  return best && { recipe: best.recipe, isWinner: false };
}
