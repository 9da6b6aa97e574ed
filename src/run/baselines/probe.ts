/** A few rows, scored for what their time tells. */
import type { Evaluation } from "../../evaluate/evaluator.ts";
import type { WorkTime } from "../../evaluate/pace.ts";
import type { Session } from "../session/session.ts";
import type { Baseline } from "./baselines.ts";

/**
 * Rows of each task that are scored one after the other: once to have everything in its place, then in two sizes, which
 * tell what a pass takes from what rows take.
 */
const PROBES = [1, 1, 4] as const;
/** A shorter one says little of a machine that does other things too: it is followed by one of so many times the rows. */
const LONG_PROBE = { ms: 500, times: 4 } as const;
/** Of a budget of time, what one of them may take; on a slow machine the first ones have to do. */
const PROBE_SHARE = 1 / 20;
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
