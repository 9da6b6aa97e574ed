import { sha256Of } from "../../files/sha256.ts";
import type { TaskScores } from "../../journal/records.ts";
import type { RunEvent } from "../../run/session/events.ts";

/** The numbers of an event that make a curve, by tag; none of most events. */
export function scalarsOf(event: RunEvent): Readonly<Record<string, number>> {
  switch (event.type) {
    case "generation":
      return {
        "loss/search": event.overall,
        "loss/baseline": event.baseline,
        "loss/best candidate": event.best,
        ...(event.mean !== undefined && { "loss/mean": event.mean }),
        "search/work": event.work,
        "search/spent": event.spent,
      };
    case "baselines":
    case "finalists":
      return Object.fromEntries(
        event.models.flatMap(({ name, scores }) => taskLosses(`${event.type}/${tagPart(name)}`, scores)),
      );
    case "verdict": {
      const winner = event.models.find(({ kind }) => kind === "winner");
      const losses = Object.entries(winner?.scores ?? {});
      return Object.fromEntries(losses.map(([task, { loss }]) => [`guard/${tagPart(task)}/loss`, loss]));
    }
    default:
      return {};
  }
}

function taskLosses(above: string, scores: TaskScores): [tag: string, loss: number][] {
  return Object.entries(scores).map(([task, { loss }]) => [`${above}/${tagPart(task)}`, loss]);
}

/** Of a name of strangers so many characters are kept, of those that no page or terminal obeys and that part no tag. */
const MOST_CHARACTERS = 48;
const OTHERS = /[^\p{L}\p{N}\p{M} ._+=%()-]/gu;

/** A name as a part of a tag; one that has to be changed gets a hash, so that no two become one. */
function tagPart(name: string): string {
  const plain = name.replaceAll(OTHERS, "_");
  const short = Array.from(plain).slice(0, MOST_CHARACTERS).join("");
  return short === name ? name : `${short}~${sha256Of(name).slice(0, 8)}`;
}
