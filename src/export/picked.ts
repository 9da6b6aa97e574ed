/** A member of a run's front in the winner's place, for an export. */
import { UserError } from "../errors.ts";
import type { JournalRecord } from "../journal/records.ts";
import { standingOf } from "../journal/standing.ts";
import { type FrontRow, frontRows } from "../report/front-rows.ts";
import { type CommandFor, installedCommand } from "../report/next-steps.ts";
import { readWriter } from "../report/runs/run-status.ts";
import { algorithmOf, frontKindOf } from "../run/estimates/search-kind.ts";
import { isWinner, placeOnFront, recipeAt } from "../run/finish/front.ts";
import { experimentOf } from "../run/recorded/recorded-run.ts";
import type { Outcome } from "../run/carry-on.ts";

/** What is exported of a run: its winner, or what was picked in its place. */
export interface PickedOutcome extends Outcome {
  readonly pick?: FrontRow;
}

/** The place on the front of a run that is asked for; a UserError that says what to do where there is none, or no front. */
export function pickedPlace(
  run: string,
  records: readonly JournalRecord[],
  pick: string,
  commandFor: CommandFor = installedCommand,
): number {
  const { front } = standingOf(records);
  if (front) return placeOnFront(front, pick);
  throw new UserError(`${run}: --pick: ${whyNoFront(run, records, commandFor)}`);
}

function whyNoFront(run: string, records: readonly JournalRecord[], commandFor: CommandFor): string {
  const experiment = experimentOf(run, records);
  const [resume, exported] = [commandFor("resume", run), commandFor("export", run)];
  if (!frontKindOf({ experiment }))
    return `the search by ${algorithmOf({ experiment })} takes the tasks as one loss, and has no front; its winner is had by ${exported}, a front by a run with search.algorithm front-walk or nsga2`;
  if (standingOf(records).winner)
    return `the run had no time to compare merges of its search, and has no front; ${resume} --budget with more time leads to one, and its winner is had by ${exported}`;
  // Losses of a generation are of other rows than those of another and of the baselines, and places on a front would change with each.
  const goesOn = readWriter(run) ? "it is being written: wait for its end" : `go on with ${resume}`;
  return `the run is not over, and its front is compared at its end; ${goesOn}, or export its best so far with ${exported}`;
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
