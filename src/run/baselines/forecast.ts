import { UserError } from "../../errors.ts";
import { knownTensors } from "../../experiment/identity.ts";
import type { Evaluation } from "../../evaluate/evaluator.ts";
import type { WorkTime } from "../../evaluate/pace.ts";
import type { RecordedRung, RecordPayloads } from "../../journal/records.ts";
import type { Baseline } from "./baselines.ts";
import { withDeadline } from "../time/deadline.ts";
import { type Effort, EFFORTS } from "../estimates/effort.ts";
import { exportTime, finishTime } from "../estimates/finish-time.ts";
import { baselineEffort, baselinesMs } from "./plan-rungs.ts";
import type { ScoredRungs } from "./scored-rungs.ts";
import { enoughGenerations, generationMs, rowFractionFor } from "../estimates/search-cost.ts";
import { evaluationsIn, generationKind } from "../estimates/search-kind.ts";
import { flatLosses, type Session, taskScores } from "../session/session.ts";

/**
 * Rows of each task that are scored one after the other: once to have everything in its place, then in two sizes, which
 * tell what a pass takes from what rows take.
 */
const PROBES = [1, 1, 4] as const;
/** A shorter one says little of a machine that does other things too: it is followed by one of so many times the rows. */
const LONG_PROBE = { ms: 500, times: 4 } as const;
/** Of a budget of time, what one of them may take; on a slow machine the first ones have to do. */
const PROBE_SHARE = 1 / 20;
/** A search of fewer generations is worth saying that more time would be better spent. */
const FEW_GENERATIONS = 10;

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

/** What the models made of the first rows, so many of each task, and how long the last scorings took. */
interface Probed {
  readonly models: readonly Baseline[];
  readonly evaluations: readonly Evaluation[];
  readonly firstTime: WorkTime;
  readonly time: WorkTime;
  readonly scored: number;
}

/** Scores a few rows again and again; the run's pace is known from then on. */
export async function probe(
  session: Session,
  listed: readonly Baseline[],
  { signal, onShare }: { readonly signal?: AbortSignal | undefined; readonly onShare: (share: number) => void },
): Promise<Probed> {
  const { workspace, order, paces } = session;
  const models = probed(session, listed);
  const recipes = models.map(({ recipe }) => recipe);
  const times: WorkTime[] = [];
  let evaluations: readonly Evaluation[] = [];
  let scored = 0;
  for (let count = nextProbe(session, times, scored); count !== undefined; count = nextProbe(session, times, scored)) {
    const before = times.length;
    evaluations = await workspace.evaluator.evaluate(recipes, order.rows("search", order.counts("search", 0, count)), {
      signal,
      onProgress: (share) => onShare((before + share) / Math.max(PROBES.length, before + 1)),
      onTime: (time) => times.push(time),
    });
    scored = count;
  }
  const time = times.at(-1);
  // The first scoring of all has much to put in its place, and tells little of the others.
  const firstTime = times.at(-2) ?? time;
  if (!firstTime || !time) throw new Error("forecast: nothing was scored");
  for (const one of [firstTime, time]) paces.evaluator.learn(one);
  return { models, evaluations, firstTime, time, scored };
}

/** Rows of each task that are scored next, after `scored` of them; undefined where enough is known, or there is no time. */
function nextProbe({ clock, tasks }: Session, times: readonly WorkTime[], scored: number): number | undefined {
  const lastMs = times.at(-1)?.ms ?? 0;
  const all = Math.min(...tasks.map(({ search }) => search.length));
  const isLong = !clock.isTimed || lastMs >= LONG_PROBE.ms || scored >= all;
  const count = PROBES[times.length] ?? (isLong ? undefined : Math.min(all, LONG_PROBE.times * scored));
  const expectedMs = (lastMs * (count ?? 0)) / Math.max(1, scored);
  return clock.isTimed && expectedMs > PROBE_SHARE * clock.totalMs ? undefined : count;
}

/** The uniform average and, where the device computes several at once, other baselines beside it; in their order. */
function probed({ workspace }: Session, listed: readonly Baseline[]): readonly Baseline[] {
  const chosen = [...listed.filter(isAverage), ...listed.filter((one) => !isAverage(one))];
  const names = new Set(chosen.slice(0, Math.max(1, workspace.engine.concurrency)).map(({ name }) => name));
  return listed.filter(({ name }) => names.has(name));
}

function isAverage({ kind }: Baseline): boolean {
  return kind === "average";
}

function absent(): never {
  throw new Error("forecast: a model that was not scored");
}

export type Expectations = Pick<
  Forecast,
  "baselinesMs" | "generationMs" | "finishMs" | "generations" | "wholeMs" | "isSmall"
>;

/** What the phases to come take, and how many generations fit, by the paces that the session knows. */
export function expectations(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): Expectations {
  const { clock, experiment } = session;
  const { effort, baselines, finish, searchMs, fraction } = division(session, listed, rungs);
  const kind = generationKind(session);
  const own = generationMs(session, kind, fraction);
  const generations =
    "evaluations" in experiment.budget
      ? Math.floor(experiment.budget.evaluations / evaluationsIn(kind))
      : Math.max(0, Math.floor(searchMs / own));
  return {
    baselinesMs: baselines,
    generationMs: own,
    finishMs: finish,
    generations,
    wholeMs: wholeMs(session, listed, rungs),
    // Texts tell nothing that is searched on.
    isSmall: clock.isTimed && (EFFORTS.indexOf(effort) > 1 || generations < FEW_GENERATIONS),
  };
}

/** How the budget is divided, in milliseconds, and the fraction of the search rows that a generation has then. */
export function division(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
): Readonly<{ effort: Effort } & Record<"baselines" | "finish" | "searchMs" | "fraction", number>> {
  const effort = baselineEffort(session, listed, rungs);
  const baselines = baselinesMs(session, listed, rungs, effort);
  const finish = finishTime(session, effort).totalMs;
  const searchMs = session.clock.remainingMs - baselines - finish;
  return { effort, baselines, finish, searchMs, fraction: rowFractionFor(session, generationKind(session), searchMs) };
}

/** The budget that has room for everything: all baselines on all rows, enough generations and the whole finish. */
function wholeMs(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): number {
  const [all] = EFFORTS;
  if (!all) throw new Error("forecast: no effort");
  const besideMs =
    session.clock.elapsedMs + baselinesMs(session, listed, rungs, all) + finishTime(session, all).totalMs;
  const kind = generationKind(session);
  const fraction = rowFractionFor(session, kind, besideMs);
  return besideMs + Math.max(besideMs, enoughGenerations(session) * generationMs(session, kind, fraction));
}

function tooLittle({ recorder, clock }: Session, probeMs: number): UserError {
  // Everything that was opened is opened again by the export.
  const needed = 2 * clock.elapsedMs + 2 * probeMs;
  const seconds = Math.ceil(needed / 1000);
  return new UserError(
    `${recorder.folder}: the time budget of ${clock.totalMs / 1000} s ended before one merge was scored on a few rows, which takes about ${Math.ceil(probeMs / 1000)} s here; resume the run with --budget ${Math.max(2 * seconds, 1)}s`,
  );
}
