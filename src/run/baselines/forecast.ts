import { UserError } from "../../errors.ts";
import { knownTensors } from "../../experiment/identity.ts";
import type { RecordedRung, RecordPayloads } from "../../journal/records.ts";
import { exportTime } from "../estimates/finish-time.ts";
import { flatLosses, type Session, taskScores } from "../session/session.ts";
import { withDeadline } from "../time/deadline.ts";
import type { Baseline } from "./baselines.ts";
import { expectations } from "./expectations.ts";
import { probe } from "./probe.ts";
import type { ScoredRungs } from "./scored-rungs.ts";

type Forecast = RecordPayloads["forecast"];

/**
 * Scores the uniform average, and beside it what keeps the other lanes of the device busy, on a few rows and tells from the
 * time what the run will take, before the budget is spent. A UserError where the budget ends before even that.
 */
export async function takeForecast(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
): Promise<RecordedRung> {
  const { recorder, clock, emit } = session;
  const began = clock.elapsedMs;
  // What had room in another budget is of no use in this one.
  const isTold = !recorder.outdated;
  let done = 0;
  const onShare = (share: number): void => {
    done = share;
    emit({
      type: "progress",
      phase: "forecast",
      share,
      ...(clock.isTimed && { leftMs: Math.max(0, clock.remainingMs) }),
    });
  };
  // What an export takes is a guess before anything was scored, and a run without one scored merge is of no use.
  const leftMs = Math.max(clock.remainingMs - exportTime(session), clock.remainingMs / 2);
  const record = await withDeadline(
    leftMs,
    session.signal,
    (signal) => recorder.step("forecast", () => compute(session, listed, rungs, { signal, onShare })),
    clock.wall,
  );
  if (!record) throw tooLittle(session, (clock.elapsedMs - began) / Math.max(0.05, done));
  const { models, from, to, rowLosses, time, elapsedMs, firstTime: _, ...expected } = record;
  if (isTold) emit({ type: "forecast", ...expected, budgetMs: clock.totalMs, exports: session.exports });
  return { models, from, to, rowLosses, time, elapsedMs };
}

async function compute(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
  { signal, onShare }: { readonly signal: AbortSignal; readonly onShare: (share: number) => void },
): Promise<Forecast> {
  const { workspace, recorder, order, clock } = session;
  const { models, evaluations, firstTime, time, scored } = await probe(session, listed, { signal, onShare });
  recorder.recordParents(() => knownTensors(workspace));
  const to = order.counts("search", 0, scored);
  const rows = order.rows("search", to);
  return {
    models: models.map(({ name }, i) => ({ name, scores: taskScores(evaluations[i] ?? absent(), rows) })),
    from: Object.fromEntries(Object.keys(to).map((task) => [task, 0])),
    to,
    rowLosses: recorder.storeNumbers(flatLosses(evaluations)),
    firstTime,
    time,
    ...expectations(session, listed, rungs),
    elapsedMs: clock.elapsedMs,
  };
}

function absent(): never {
  throw new Error("forecast: a model that was not scored");
}

function tooLittle({ recorder, clock }: Session, probeMs: number): UserError {
  // Everything that was opened is opened again by the export.
  const needed = 2 * clock.elapsedMs + 2 * probeMs;
  const seconds = Math.ceil(needed / 1000);
  return new UserError(
    `${recorder.folder}: the time budget of ${clock.totalMs / 1000} s ended before one merge was scored on a few rows, which takes about ${Math.ceil(probeMs / 1000)} s here; resume the run with --budget ${Math.max(2 * seconds, 1)}s`,
  );
}
