import type { GuardedModel, RowCounts, ScoredModel } from "../../journal/records.ts";
import type { Recipe } from "../../merge/recipe.ts";
import { exportTime, guardTime } from "../estimates/finish-time.ts";
import { mostPicks } from "../estimates/finish-models.ts";
import { type Front, isWinner, picksOf, recipeAt } from "./front.ts";
import { covers } from "../session/row-order.ts";
import type { Session } from "../session/session.ts";

/** A member of a front that meets the guard rows. */
export interface GuardedPick {
  readonly name: string;
  /** On the front, counted from 1. */
  readonly place: number;
  readonly recipe: Recipe;
}

/** The knee and the best on each task, but for those that meet the guard rows in any case. */
export function picksToJudge(
  front: Front,
  guarded: readonly Pick<GuardedModel, "name" | "kind">[],
  winner: ScoredModel,
): readonly GuardedPick[] {
  const places = new Set(picksOf(front.members).map(({ place }) => place));
  return Array.from(places)
    .filter((place) => {
      const member = front.members[place - 1];
      return !guarded.some(({ name, kind }) => kind !== "winner" && name === member?.of) && !isWinner(member, winner);
    })
    .map((place) => ({ name: `front ${place}`, place, recipe: recipeAt(front, place) }));
}

/** As many of them as there may be where all guard rows are met and time suffices, those that were begun with, or none. */
export function picksInTime(
  session: Session,
  counts: RowCounts,
  picks: readonly GuardedPick[],
): readonly GuardedPick[] {
  const { recorder, order, clock } = session;
  const few = picks.slice(0, mostPicks(session));
  const begun = recorder.begun("verdict");
  if (begun) return few.filter(({ name }) => begun.models.includes(name));
  const fits = guardTime(session, counts, few.length) <= clock.remainingMs - exportTime(session);
  return fits && covers(counts, order.counts("guard", 1)) ? few : [];
}
