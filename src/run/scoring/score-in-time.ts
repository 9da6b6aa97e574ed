import type { Selection } from "../../evaluate/evaluator.ts";
import { slownessOf } from "../../evaluate/pace.ts";
import { Course } from "../time/course.ts";
import { withDeadline } from "../time/deadline.ts";
import { knownPace, type Paces } from "../time/paces.ts";
import type { InPartsOptions } from "./score-in-parts.ts";
import type { Session } from "../session/session.ts";

/** What makes a scoring end when it is given up. */
export type InTime = Required<Pick<InPartsOptions, "signal" | "onShare">> & { readonly signal: AbortSignal };

/** A scoring that is worth its time only if it ends in time. */
export interface Timely {
  readonly models: number;
  readonly rows: Selection;
  readonly by: keyof Paces;
  /** What has to have room after it, as long as that takes at the slowest moment so far. */
  readonly afterMs: number;
  /** What it may take in any case. */
  readonly mostMs?: number;
}

/**
 * Scores within the time that the budget leaves before what comes after; undefined where it was given up, which happens as
 * soon as its pace says that it will not be over by then. A machine on which it is slow is as slow afterwards, so that what comes
 * after needs more time, too; that is learned.
 */
export async function scoreInTime<T>(
  session: Session,
  { models, rows, by, afterMs, mostMs = Infinity }: Timely,
  score: (inTime: InTime) => Promise<T>,
): Promise<T | undefined> {
  const { clock, workspace, paces, recorder, signal } = session;
  const { pace, times } = knownPace(paces, by);
  const work = { models, tokens: workspace.evaluator.tokensOf(rows), passes: 1 };
  const slowestMs = times * pace.slowestMs(work);
  const leftMs = clock.remainingMs;
  const isWhole = recorder.upcoming === undefined;
  const course = new Course(session.usual[by], clock.wall.now);
  const scored = await withDeadline(
    Math.min(mostMs, leftMs - afterMs),
    signal,
    (inTime, giveUp) =>
      score({
        signal: inTime,
        onShare: (share) => {
          const wholeMs = course.reach(share);
          if (share === 1) return;
          const slowness = Math.max(1, slownessOf(wholeMs, slowestMs));
          if (wholeMs > Math.min(mostMs, leftMs - slowness * afterMs)) giveUp();
        },
      }),
    clock.wall,
  );
  if (scored !== undefined) {
    if (isWhole) course.end(paces[by].slowness);
    return scored;
  }
  paces[by].gaveUp(course.done(work));
  recorder.giveUp();
  return undefined;
}
