import { type Baseline, bestFirst, withSweepOf } from "./baselines.ts";
import { scoringMs } from "../estimates/costs.ts";
import { EFFORTS, type Effort, mostThatFits } from "../estimates/effort.ts";
import { exportTime, finishTime, searchCounts } from "../estimates/finish-time.ts";
import { covers, fewer, more, sameCounts } from "../session/row-order.ts";
import type { RowCounts } from "../../journal/records.ts";
import type { ScoredRungs } from "./scored-rungs.ts";
import { leastGenerationMs } from "../estimates/search-cost.ts";
import type { Session } from "../session/session.ts";

/** The rows that rank all baselines: a share of the search rows, and no fewer of a task than this. */
const FIRST_RUNG = { share: 1 / 4, least: 8 } as const;
/** Global weights that meet all rows. */
const KEPT_SWEEP = 3;
/** Of a budget of time, the search's own. */
const OWN_SHARE = 1 / 2;
/** Of what opening and export leave of it, what baselines, finalists and guard have in any case. */
const LEAST_SHARE = 1 / 3;

/** Baselines that have met the search rows up to `from`, and meet those up to `to`. */
export interface PlannedRung {
  readonly models: readonly Baseline[];
  readonly from: RowCounts;
  readonly to: RowCounts;
  readonly expectedMs: number;
}

/** The rung that comes next: the one that was begun, or as much as leaves the search its half of the budget. */
export function nextRung(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): PlannedRung | undefined {
  const begun = session.recorder.begun("rung");
  if (begun) {
    const models = begun.models.flatMap((name) => listed.find((baseline) => baseline.name === name) ?? []);
    return stretches(session, rungs, models, { to: begun.rows })[0];
  }
  return rungsLeft(session, listed, rungs, baselineEffort(session, listed, rungs))[0];
}

/** All rungs to come, as far as it is known which baselines meet all rows. */
export function plannedRungs(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
): readonly PlannedRung[] {
  return rungsLeft(session, listed, rungs, baselineEffort(session, listed, rungs));
}

/** How much to spend on baselines and finish, so that the search has at least its half. */
export function baselineEffort(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): Effort {
  const leftMs = overheadMs(session);
  return mostThatFits(
    EFFORTS,
    (effort) => baselinesMs(session, listed, rungs, effort) + finishTime(session, effort).totalMs <= leftMs,
  );
}

/** Expected milliseconds of the rungs to come. */
export function baselinesMs(session: Session, listed: readonly Baseline[], rungs: ScoredRungs, effort: Effort): number {
  return rungsLeft(session, listed, rungs, effort).reduce((sum, { expectedMs }) => sum + expectedMs, 0);
}

/**
 * Milliseconds that baselines and finish may take: what leaves the search half of the budget, or a third of what opening
 * and export leave, where they are most of it; all of it where no generation fits.
 */
function overheadMs(session: Session): number {
  const { clock } = session;
  if (!clock.isTimed) return Infinity;
  const exportMs = exportTime(session);
  const leftMs = clock.remainingMs - exportMs;
  if (leastGenerationMs(session) > (1 - LEAST_SHARE) * leftMs) return clock.remainingMs;
  const ownMs = Math.min(clock.remainingMs, OWN_SHARE * clock.totalMs - clock.besideMs);
  return Math.max(ownMs, exportMs + LEAST_SHARE * leftMs);
}

/**
 * What is left to climb: all baselines meet the rows that rank them, then parents, average, given recipes and the best few
 * of the sweep the rest. Those that an earlier budget had no room for begin with the first row.
 */
function rungsLeft(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
  effort: Effort,
): readonly PlannedRung[] {
  if (effort.rows === 0) return [];
  const all = more(searchCounts(session, effort), rungs.ends.at(-1));
  const part = fewer(all, session.order.counts("search", FIRST_RUNG.share, FIRST_RUNG.least));
  const ranking = rungs.ends.find((end) => covers(end, part)) ?? part;
  const swept = new Set(withSweepOf(effort.sweep, listed));
  const wanted = listed.filter((baseline) => swept.has(baseline) || rungs.hasClimbed(baseline.name));
  return [
    ...stretches(session, rungs, wanted, { to: ranking }),
    ...stretches(session, rungs, survivors(wanted, rungs, ranking), { from: ranking, to: all }),
  ];
}

/** Parents, average and given recipes, and the best few of the sweep on these rows; of those that have yet to meet them, any. */
function survivors(wanted: readonly Baseline[], rungs: ScoredRungs, ranking: RowCounts): readonly Baseline[] {
  const scored = rungs.scored(ranking);
  const yetToMeet = wanted.filter(({ name }) => !scored.some((one) => one.name === name));
  const sweep = [...bestFirst(scored), ...yetToMeet].filter(({ kind }) => kind === "global");
  const best = new Set(sweep.slice(0, KEPT_SWEEP).map(({ name }) => name));
  return wanted.filter(({ name, kind }) => kind !== "global" || best.has(name));
}

/** The rungs on which models that have met the rows up to `from`, or more, come to `to`; those that have met most come first. */
function stretches(
  session: Session,
  rungs: ScoredRungs,
  models: readonly Baseline[],
  { from, to }: { readonly from?: RowCounts; readonly to: RowCounts },
): readonly PlannedRung[] {
  const none = Object.fromEntries(Object.keys(to).map((task) => [task, 0]));
  const beginOf = ({ name }: Baseline): RowCounts => more(more(none, from), rungs.climbedBy(name));
  const begins = new Map(models.map((model) => [JSON.stringify(beginOf(model)), beginOf(model)]));
  return [...begins.values()]
    .filter((begin) => !covers(begin, to))
    .toSorted((a, b) => totalOf(b) - totalOf(a))
    .map((begin) => {
      const group = models.filter((model) => sameCounts(begin, beginOf(model)));
      return timed(session, { models: group, from: begin, to: more(to, begin) });
    });
}

function timed(session: Session, rung: Omit<PlannedRung, "expectedMs">): PlannedRung {
  const { models, from, to } = rung;
  return { ...rung, expectedMs: scoringMs(session, models.length, session.order.rows("search", to, from)) };
}

function totalOf(counts: RowCounts): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}
