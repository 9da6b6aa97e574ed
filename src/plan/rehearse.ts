/** The scorings of a run on a device for rehearsals: what each of its phases takes in time, and in memory at most. */
import pLimit from "p-limit";
import type { RehearsalDevice } from "../device/rehearsal/rehearsal-device.ts";
import type { Selection } from "../evaluate/evaluator.ts";
import type { ScoreOptions } from "../evaluate/scorer.ts";
import type { WorkTime } from "../evaluate/pace.ts";
import { routeAlong, stagePathsOf } from "../evaluate/path.ts";
import { mergeStage } from "../evaluate/stage-graph.ts";
import { BASE } from "../experiment/the-base.ts";
import type { Recipe } from "../merge/recipe.ts";
import type { Baseline } from "../run/baselines/baselines.ts";
import { scoringMs, steeringMs } from "../run/estimates/costs.ts";
import { division } from "../run/baselines/expectations.ts";
import { probe } from "../run/baselines/probe.ts";
import { finalistsIn, guardedModels, mostPicks } from "../run/estimates/finish-models.ts";
import { searchCounts } from "../run/estimates/finish-time.ts";
import type { Effort } from "../run/estimates/effort.ts";
import { deal } from "../run/scoring/deal-rows.ts";
import { plannedRungs } from "../run/baselines/plan-rungs.ts";
import { ScoredRungs } from "../run/baselines/scored-rungs.ts";
import { listedOf } from "../run/baselines/score-baselines.ts";
import { generationKind } from "../run/estimates/search-kind.ts";
import type { Session } from "../run/session/session.ts";
import { RandomStream } from "../tensor/random.ts";
import type { RehearsedDevices } from "./rehearsed-devices.ts";

/** Where candidates are drawn that nobody has asked for yet. */
const AROUND_START = 0.1;

/** One generation of a search, as its way through the device was rehearsed. */
export interface RehearsedGeneration {
  readonly candidates: number;
  readonly usesGradients: boolean;
  readonly rows: number;
  /** Of each candidate, with the padding. */
  readonly tokens: number;
  /** With gradients, where it has them. */
  readonly ms: number;
  /** Of all lanes together; less than so many times `ms` where some are idle. */
  readonly busyMs: number;
  /** Of `ms`, what scoring alone takes. */
  readonly scoringMs: number;
  /** Of scoring, the time that it waits for the parents' weights. */
  readonly waitMs: number;
  /** Operations of its products of matrices. */
  readonly flop: number;
}

export interface Rehearsed {
  readonly session: Session;
  /** One of those that score. */
  readonly device: RehearsalDevice;
  readonly devices: RehearsedDevices;
  readonly signal?: AbortSignal | undefined;
}

/** What was learnt of a run by rehearsing it; the paces of its session are known from then on. */
export interface RehearsedRun {
  readonly listed: readonly Baseline[];
  readonly rungs: ScoredRungs;
  readonly generation: RehearsedGeneration;
  /** Of the generation, what its merges take. */
  readonly mergingMs: number;
}

/** Baselines, a generation and the finish; `onNotice` is told of given recipes. */
export async function rehearseRun(rehearsed: Rehearsed, onNotice: (text: string) => void): Promise<RehearsedRun> {
  const { session, device, signal } = rehearsed;
  const listed = listedOf(session, onNotice);
  const rungs = new ScoredRungs(listed, session.tasks);
  const generationOf = (): Promise<RehearsedGeneration> =>
    rehearseGeneration(rehearsed, rehearsedFraction(session, division(session, listed, rungs).fraction));
  // Opening models and measuring the machine is no part of what follows.
  device.settle();
  await probe(session, listed, { signal, onShare: () => {} });
  await rehearseRungs(rehearsed, listed, rungs);
  // How many rows a generation has depends on what is known of its time.
  await generationOf();
  const generation = await generationOf();
  await rehearseFinish(rehearsed, division(session, listed, rungs).effort);
  return { listed, rungs, generation, mergingMs: await rehearseMerges(rehearsed, generation.candidates) };
}

/** The baselines on the search rows, from which the pace is learnt of what is compared. */
async function rehearseRungs(rehearsed: Rehearsed, listed: readonly Baseline[], rungs: ScoredRungs): Promise<void> {
  const { session } = rehearsed;
  for (const { models, from, to } of plannedRungs(session, listed, rungs)) {
    const recipes = models.map(({ recipe }) => recipe);
    await rehearseScoring(rehearsed, recipes, session.order.rows("search", to, from));
  }
}

/** Finalists on the search rows, and winner and baselines on the guard rows. */
async function rehearseFinish(rehearsed: Rehearsed, effort: Effort): Promise<void> {
  const { session } = rehearsed;
  const { order } = session;
  const search = order.rows("search", searchCounts(session, effort));
  await rehearseScoring(rehearsed, drawnRecipes(session, finalistsIn(session, effort)), search);
  if (effort.guard === 0) return;
  const guard = order.rows("guard", order.counts("guard", effort.guard));
  await rehearseScoring(
    rehearsed,
    drawnRecipes(session, guardedModels(session) + (effort.guard === 1 ? mostPicks(session) : 0)),
    guard,
    { digestOf: 0 },
  );
}

/** Of rows that take longer than a part of a step, as many as are scored in one. */
async function rehearseScoring(
  { session, signal }: Rehearsed,
  recipes: readonly Recipe[],
  rows: Selection,
  options: Pick<ScoreOptions, "digestOf"> = {},
): Promise<void> {
  if (recipes.length === 0) return;
  const { workspace, paces, partMs } = session;
  const part = aPartOf(rows, partMs / Math.max(1, scoringMs(session, recipes.length, rows)));
  await workspace.evaluator.evaluate(recipes, part, {
    ...options,
    signal,
    onTime: (time) => paces.evaluator.learn(time),
  });
}

/** A generation on a fraction of the search rows; the paces of what steers are learnt from it. */
async function rehearseGeneration(
  { session, device, devices, signal }: Rehearsed,
  fraction: number,
): Promise<RehearsedGeneration> {
  const { order, workspace, paces, tasks, genome } = session;
  const kind = generationKind(session);
  const points = drawn(session, kind.candidates);
  const rows = order.rows("search", order.counts("search", fraction));
  const tokens = workspace.signal.tokensOf(rows);
  const { clock } = device;
  const timed = async (score: () => Promise<unknown>): Promise<Pick<RehearsedGeneration, "ms" | "busyMs" | "flop">> => {
    device.settle();
    const [began, busy, flop] = [devices.now(), clock.busyMs, device.flop];
    await score();
    device.settle();
    return { ms: devices.now() - began, busyMs: clock.busyMs - busy, flop: device.flop - flop };
  };
  const onTime = (time: WorkTime): void => {
    if (!kind.usesGradients) paces.signal.learn(time);
  };
  const { waitedMs } = clock;
  const recipes = points.map((point) => genome.decode(point));
  const scored = await timed(() => workspace.signal.evaluate(recipes, rows, { signal, onTime }));
  const waitMs = (clock.waitedMs - waitedMs) / devices.count;
  const work = { ...kind, rows: countOf(rows), tokens, scoringMs: scored.ms, waitMs };
  if (!kind.usesGradients) return { ...work, ...scored };
  const weights = Object.fromEntries(tasks.map(({ name }) => [name, 1]));
  const both = await timed(async () => {
    const parts = deal(rows, Math.min(session.leastParts, work.rows));
    await Promise.all(
      parts.map(async (own) => {
        const decoded = points.map((point) => genome.decode(point));
        const evaluations = await workspace.signal.gradient(decoded, own, weights, { signal });
        for (const [i, point] of points.entries()) genome.pullBack(point, evaluations[i]?.derivatives ?? {});
      }),
    );
  });
  paces.gradient.learn({ models: kind.candidates, tokens, passes: 1, ms: both.ms, waitMs: 0 });
  return { ...work, ...both };
}

/** The fraction of a generation's rows that takes a part's time at most, among those that it asks for. */
function rehearsedFraction(session: Session, fraction: number): number {
  const rows = session.order.rows("search", session.order.counts("search", 1));
  const tokens = fraction * session.workspace.signal.tokensOf(rows);
  return fraction * Math.min(1, session.partMs / Math.max(1, steeringMs(session, generationKind(session), tokens)));
}

/** Milliseconds that the merges of a generation take, where each device makes as many; of the embedding a pass takes the rows of its tokens alone, which are few. */
async function rehearseMerges({ session, device, devices }: Rehearsed, count: number): Promise<number> {
  const { model, experts, weights: parents } = session.workspace;
  const merging = { device, model, parents, base: BASE, experts };
  const members = [...Array(count).keys()];
  const paths = stagePathsOf(merging, drawnRecipes(session, count), members);
  const route = routeAlong(paths);
  const limit = pLimit(device.concurrency);
  let ms = 0;
  for (const index of route.stages.keys()) {
    const tensors = await parents.load(route, index);
    device.settle();
    const began = device.clock.now();
    const merge = async (member: number): Promise<void> => {
      const at = paths.get(member)?.[index];
      if (at) device.free(...(await device.run(Object.values(mergeStage({ merging, tensors }, at)))));
    };
    if (index > 0) await Promise.all(members.map((member) => limit(merge, member)));
    ms += device.clock.now() - began;
    parents.release(route, index);
  }
  await parents.releaseAll();
  return ms / devices.count;
}

/** Merges around the start of the search space. */
function drawnRecipes(session: Session, count: number): Recipe[] {
  return drawn(session, count).map((point) => session.genome.decode(point));
}

/** Their points, no two of them equal. */
function drawn({ genome }: Session, count: number): Float64Array[] {
  const stream = RandomStream.of(1, "rehearsed candidates");
  const near = (value: number): number => Math.min(1, Math.max(0, value + AROUND_START * stream.normal()));
  return Array.from({ length: count }, () => genome.start.map(near));
}

/** Of each task a share of its rows, from the first on. */
function aPartOf(rows: Selection, share: number): Selection {
  if (share >= 1) return rows;
  const entries = Object.entries(rows).map(([task, own]) => [
    task,
    own.slice(0, Math.max(1, Math.round(share * own.length))),
  ]);
  return Object.fromEntries(entries) as Selection;
}

function countOf(rows: Selection): number {
  return Object.values(rows).reduce((sum, { length }) => sum + length, 0);
}
