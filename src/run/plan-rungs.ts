import { type Baseline, bestFirst, withSweepOf } from "./baselines.ts";
import { scoringMs } from "./costs.ts";
import { EFFORTS, type Effort, mostThatFits } from "./effort.ts";
import { exportTime, finishTime, searchCounts } from "./finish-time.ts";
import { sameCounts } from "./row-order.ts";
import type { RowCounts } from "../journal/records.ts";
import type { ScoredRungs } from "./scored-rungs.ts";
import { leastGenerationMs } from "./search-cost.ts";
import type { Session } from "./session.ts";

/** The rows that rank all baselines: a share of the search rows, and no fewer of a task than this. */
const FIRST_RUNG = { share: 1 / 4, least: 8 } as const;
/** Global weights that meet all rows. */
const KEPT_SWEEP = 3;
/** Of a budget of time, the search's own. */
const OWN_SHARE = 1 / 2;
/** Of what opening and export leave of it, what baselines, finalists and guard have in any case. */
const LEAST_SHARE = 1 / 3;

/** Baselines that meet the search rows up to `to`. */
export interface PlannedRung {
  readonly models: readonly Baseline[];
  readonly to: RowCounts;
  readonly expectedMs: number;
}

/** The rung that comes next: the one that was begun, or as much as leaves the search its half of the budget. */
export function nextRung(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): PlannedRung | undefined {
  const begun = session.recorder.begun("rung");
  if (begun) {
    const models = begun.models.flatMap((name) => listed.find((baseline) => baseline.name === name) ?? []);
    return timed(session, rungs.rows, { models, to: begun.rows });
  }
  return rungsLeft(session, listed, rungs, baselineEffort(session, listed, rungs))[0];
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
  return Math.max(clock.remainingMs - OWN_SHARE * clock.totalMs, exportMs + LEAST_SHARE * leftMs);
}

function rungsLeft(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
  effort: Effort,
): readonly PlannedRung[] {
  if (effort.rows === 0) return [];
  const all = searchCounts(session, effort);
  if (rungs.length > 0) {
    const before = rungs.rows;
    const isMore = Object.entries(all).some(([task, count]) => count > (before[task] ?? 0));
    const to = Object.fromEntries(
      Object.entries(all).map(([task, count]) => [task, Math.max(count, before[task] ?? 0)]),
    );
    return isMore ? [timed(session, before, { models: survivors(listed, rungs), to })] : [];
  }
  const models = withSweepOf(effort.sweep, listed);
  const part = session.order.counts("search", FIRST_RUNG.share, FIRST_RUNG.least);
  const first = Object.fromEntries(
    Object.entries(all).map(([task, count]) => [task, Math.min(count, part[task] ?? 0)]),
  );
  const rest = models.length - Math.max(0, models.filter(({ kind }) => kind === "global").length - KEPT_SWEEP);
  return [
    timed(session, {}, { models, to: first }),
    ...(sameCounts(all, first) ? [] : [timed(session, first, { models: models.slice(0, rest), to: all })]),
  ];
}

/** Parents, average and given recipes, and the best few of the sweep. */
function survivors(listed: readonly Baseline[], rungs: ScoredRungs): readonly Baseline[] {
  const scored = rungs.scored();
  const best = bestFirst(scored.filter(({ kind }) => kind === "global")).slice(0, KEPT_SWEEP);
  const names = new Set([...scored.filter(({ kind }) => kind !== "global"), ...best].map(({ name }) => name));
  return listed.filter(({ name }) => names.has(name));
}

function timed(session: Session, from: RowCounts, rung: Omit<PlannedRung, "expectedMs">): PlannedRung {
  return { ...rung, expectedMs: scoringMs(session, rung.models.length, session.order.rows("search", rung.to, from)) };
}
