import type { JournalView } from "../../journal/journal.ts";
import type { GuardedModel, RecordPayloads } from "../../journal/records.ts";
import { combinedScores, type ObjectiveTask } from "../../run/session/objective.ts";
import { pairedGains } from "../../run/finish/paired-gains.ts";
import { RowOrder } from "../../run/session/row-order.ts";
import { ofCandidate } from "../generation-losses.ts";
import type { RowsAtHand } from "./searched-models.ts";

/**
 * The models of a verdict with the combined losses of another objective. One of them by its place, the last where none is
 * given, is the winner; the others have its gains over them where the rows are at hand, whose groups tests go by.
 */
export function guardedAgain(
  view: JournalView,
  verdict: RecordPayloads["verdict"],
  {
    objective,
    winner,
    atHand,
  }: {
    readonly objective: readonly ObjectiveTask[];
    readonly winner: number;
    readonly atHand: RowsAtHand | undefined;
  },
): readonly GuardedModel[] {
  const { models, rows: counts, rowLosses } = verdict;
  const all = view.readNumbers(rowLosses);
  const rows = atHand && new RowOrder(atHand.tasks, atHand.seed).rows("guard", counts);
  const lossesOf = (model: number): ((task: string) => Float64Array) => {
    const own = ofCandidate(all, model, models.length);
    let end = 0;
    const places = new Map(
      Object.entries(rows ?? {}).map(([task, { length }]) => [task, own.subarray(end, (end += length))] as const),
    );
    return (task) => places.get(task) ?? new Float64Array();
  };
  const again = models.map((model, i): GuardedModel => {
    const { gains: _, ...others } = model;
    const plain = { ...others, loss: combinedScores(model.scores, objective) };
    if (i === winner) return { ...plain, kind: "winner" };
    const own = { ...plain, kind: model.kind === "winner" ? ("recipe" as const) : model.kind };
    if (!rows || !atHand || winner === -1) return own;
    const paired = { baseline: lossesOf(i), candidate: lossesOf(winner), rows, objective, seed: atHand.seed };
    return { ...own, gains: pairedGains(paired) };
  });
  const others = again.filter((_, i) => i !== winner);
  return [...others, ...again.filter((_, i) => i === winner)];
}
