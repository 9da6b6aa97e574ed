/** A member of a run's front in the winner's place, for an export. */
import { UserError } from "../errors.ts";
import type { Standing } from "../journal/standing.ts";
import { type FrontRow, frontRows } from "../report/front-rows.ts";
import { isWinner, placeOnFront, recipeAt } from "../run/finish/front.ts";
import type { Outcome } from "../run/run-experiment.ts";

/** What is exported of a run: its winner, or what was picked in its place. */
export interface PickedOutcome extends Outcome {
  readonly pick?: FrontRow;
}

/** The place on the front of a run that is asked for; a UserError where there is none, or no front. */
export function pickedPlace(run: string, { front, winner }: Standing, pick: string): number {
  if (front) return placeOnFront(front, pick);
  throw new UserError(
    winner
      ? `${run}: --pick: the run has no front: its search took the tasks as one loss, or there was no time to compare; export it without --pick, or search with the algorithm front-walk or nsga2`
      : `${run}: --pick: the front of the run has not been compared on the search rows yet; resume the run, or export its best so far without --pick`,
  );
}

/** The outcome of a run with a member of its front in the winner's place; the verdict is on the winner alone. */
export function pickedOutcome(outcome: Outcome, place: number): PickedOutcome {
  const { front, winner, verdict, picks } = outcome;
  if (!front) throw new Error("export: a pick without a front");
  const rows = frontRows({ front: front.members, winner, ...(verdict && { verdict }), picks });
  const pick = rows[place - 1];
  if (!pick) throw new Error(`export: no place ${place} on the front`);
  if (isWinner(pick, winner)) return { ...outcome, pick };
  const { verdict: _, texts: __, ...others } = outcome;
  const { scores, loss } = pick;
  return { ...others, winner: { name: `front ${place}`, recipe: recipeAt(front, place), scores, loss }, pick };
}
