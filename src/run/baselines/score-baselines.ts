import { isDeepStrictEqual } from "node:util";
import { UserError } from "../../errors.ts";
import type { NamedEngine } from "../../experiment/open-engine.ts";
import { BASE } from "../../experiment/the-base.ts";
import type { Selection } from "../../evaluate/evaluator.ts";
import { isPluginName } from "../../files/plugin-name.ts";
import type { RecordedRung, RecordPayloads } from "../../journal/records.ts";
import { type Baseline, listBaselines } from "./baselines.ts";
import { exportTime } from "../estimates/finish-time.ts";
import { type Expectations, expectations } from "./expectations.ts";
import { takeForecast } from "./forecast.ts";
import type { ObjectiveTask } from "../session/objective.ts";
import { nextRung, type PlannedRung } from "./plan-rungs.ts";
import { type InPartsOptions, scoreInParts } from "../scoring/score-in-parts.ts";
import { scoreInTime } from "../scoring/score-in-time.ts";
import { type ScoredBaseline, ScoredRungs } from "./scored-rungs.ts";
import { flatLosses, type Session, taskScores } from "../session/session.ts";

type BaselinesRecord = RecordPayloads["baselines"];

export interface ScoredBaselines {
  /** Those that were scored, which the first rung or the budget may have ended early. */
  readonly baselines: readonly ScoredBaseline[];
  readonly objective: readonly ObjectiveTask[];
  readonly rungs: ScoredRungs;
}

/** How many times its expected time a rung may take, and how much longer, before it is given up; and of what is left, in any case. */
const PATIENCE = { times: 2, ms: 1000, share: 1 / 4 } as const;

/**
 * Scores the baselines rung by rung: all of them on a part of the search rows, then parents, average, given recipes and
 * the best few on all, or on as many as there is time for. The uniform average sets the unit of each task.
 */
export async function scoreBaselines(session: Session): Promise<ScoredBaselines> {
  const listed = listedOf(session, (text) => session.emit({ type: "notice", text }));
  const rungs = new ScoredRungs(listed, session.tasks);
  rungs.fallBackOn(await takeForecast(session, listed, rungs));
  await climb(session, listed, rungs);
  return conclude(session, listed, rungs);
}

/** Goes on with the rungs that an earlier budget had no room for; undefined where none of them is scored now either. */
export async function growBaselines(
  session: Session,
  { rungs }: ScoredBaselines,
): Promise<ScoredBaselines | undefined> {
  const listed = listedOf(session);
  const before = rungs.length;
  await climb(session, listed, rungs);
  return rungs.length === before ? undefined : conclude(session, listed, rungs);
}

/** Whether there are baselines, or rows for them, that were left out and that there is time for. */
export function canGrow(session: Session, { rungs }: ScoredBaselines): boolean {
  return nextRung(session, listedOf(session), rungs) !== undefined;
}

/** The baselines of a run; `onNotice` is told of the given recipes. */
export function listedOf({ experiment, workspace }: Session, onNotice?: (text: string) => void): readonly Baseline[] {
  const { experts, model } = workspace;
  return listBaselines(experiment, { base: BASE, experts, model }, onNotice);
}

/** As many rungs as there is time for. */
async function climb(session: Session, listed: readonly Baseline[], rungs: ScoredRungs): Promise<void> {
  for (let rung = await takeRung(session, listed, rungs); rung; rung = await takeRung(session, listed, rungs)) {
    rungs.add(rung);
  }
}

/** Records what all rungs so far come to. */
async function conclude(
  { recorder, clock, emit, experiment }: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
): Promise<ScoredBaselines> {
  const compute = (): BaselinesRecord => {
    const made = summary(listed, rungs, clock.elapsedMs);
    checkScales(made.scales, experiment.engine);
    return made;
  };
  const isRecorded = recorder.replaying;
  const record = recorder.isOver ? compute() : await recorder.step("baselines", async () => compute());
  if (isRecorded) checkSummary(recorder.folder, record, compute());
  const { models, skipped } = record;
  emit({ type: "baselines", models, skipped });
  return { baselines: rungs.scored(), objective: rungs.objective(), rungs };
}

/** The next rung: recorded, or scored where there is one to come and time for it. */
async function takeRung(
  session: Session,
  listed: readonly Baseline[],
  rungs: ScoredRungs,
): Promise<RecordedRung | undefined> {
  const { recorder, clock, emit } = session;
  if (recorder.isOver) return undefined;
  if (recorder.replaying) return recorder.upcoming === "rung" ? recorder.step("rung", unreachable) : undefined;
  const next = nextRung(session, listed, rungs);
  if (!next) return undefined;
  const afterMs = exportTime(session);
  const patienceMs = PATIENCE.ms + PATIENCE.times * next.expectedMs;
  const mostMs = clock.isTimed ? Math.max(patienceMs, PATIENCE.share * (clock.remainingMs - afterMs)) : Infinity;
  const timely = { models: next.models.length, rows: rowsOf(session, next), by: "evaluator", afterMs, mostMs } as const;
  const behind = { afterMs: clock.isTimed ? undefined : behindMs(next, expectations(session, listed, rungs)) };
  const scored = await scoreInTime(session, timely, (inTime) =>
    recorder.step("rung", () => scoreRung(session, next, { ...inTime, ...behind })),
  );
  if (scored) return scored;
  const why = `the machine became too slow for ${next.models.length} models on ${rungs.length === 0 ? "their first" : "more"} rows`;
  emit({ type: "skipped", phase: "baselines", why });
  return undefined;
}

/** What comes behind a rung: others, the search and the finish. */
function behindMs(
  { expectedMs }: PlannedRung,
  { baselinesMs, generations, generationMs, finishMs }: Expectations,
): number {
  return Math.max(0, baselinesMs - expectedMs) + generations * generationMs + finishMs;
}

async function scoreRung(session: Session, next: PlannedRung, inTime: InPartsOptions): Promise<RecordedRung> {
  const { recorder, clock } = session;
  const { models, from, to } = next;
  const rows = rowsOf(session, next);
  const scope = { models: models.map(({ name }) => name), rows: to };
  const recipes = models.map(({ recipe }) => recipe);
  const { evaluations, time } = await scoreInParts(session, "baselines", recipes, rows, { ...inTime, scope });
  return {
    models: evaluations.map((evaluation, i) => ({
      name: models[i]?.name ?? "",
      scores: taskScores(evaluation, rows),
    })),
    from,
    to,
    rowLosses: recorder.storeNumbers(flatLosses(evaluations)),
    time,
    elapsedMs: clock.elapsedMs,
  };
}

function rowsOf({ order }: Session, { from, to }: PlannedRung): Selection {
  return order.rows("search", to, from);
}

function summary(listed: readonly Baseline[], rungs: ScoredRungs, elapsedMs: number): BaselinesRecord {
  const scales = Object.fromEntries(rungs.objective().map(({ name, scale }) => [name, scale]));
  const models = rungs.scored().map(({ name, recipe, scores, loss, rows }) => ({ name, recipe, scores, loss, rows }));
  const scored = new Set(models.map(({ name }) => name));
  const skipped = listed.flatMap(({ name }) => (scored.has(name) ? [] : [name]));
  return { models, skipped, scales, elapsedMs };
}

/** What is recorded of all rungs follows from each of them. */
function checkSummary(folder: string, record: BaselinesRecord, { models, scales }: BaselinesRecord): void {
  if (isDeepStrictEqual({ models: record.models, scales: record.scales }, { models, scales })) return;
  throw new UserError(
    `${folder}: the baselines in the journal: expected those that its rungs make, found others; resume with the versions that its first record names, or restore the journal from a copy`,
  );
}

/** Every loss of the run is divided by these. */
function checkScales(scales: Readonly<Record<string, number>>, engine: NamedEngine["engine"]): void {
  const computed = isPluginName(engine) ? `, and what the engine ${engine} computes` : "";
  for (const [task, loss] of Object.entries(scales)) {
    if (loss > 0 && Number.isFinite(loss)) continue;
    throw new UserError(
      `task ${task}: expected a finite loss above 0 of the uniform average of the experts, found ${loss}; check that they come from one base${computed}`,
    );
  }
}

function unreachable(): never {
  throw new Error("baselines: a recorded rung was scored");
}
