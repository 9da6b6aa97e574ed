import { RehearsalDevice, type Stopwatch } from "../device/rehearsal/rehearsal-device.ts";
import { UnreadParents } from "../evaluate/unread-parents.ts";
import { countOrClose } from "../experiment/device-count.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { openEngine } from "../experiment/open-engine.ts";
import { productDtypes } from "../experiment/precision.ts";
import { openWorkspace } from "../experiment/workspace.ts";
import type { Hub } from "../hub/api/hub.ts";
import { BudgetClock } from "../run/time/budget-clock.ts";
import { systemClock } from "../run/time/clock.ts";
import { EarlierRun } from "../run/recorded/earlier-run.ts";
import { expectations } from "../run/baselines/expectations.ts";
import { evaluationsIn, generationKind } from "../run/estimates/search-kind.ts";
import { bindings } from "./limits.ts";
import { type MeasuredSpeed, measureSpeed } from "./measured-speed.ts";
import { planDisk } from "./plan-disk.ts";
import { plannedMemory } from "./plan-memory.ts";
import { withFolders } from "./plan-sources.ts";
import { planningSession } from "./planning-session.ts";
import { RehearsedDevices } from "./rehearsed-devices.ts";
import { type RehearsedRun, rehearseRun } from "./rehearse.ts";
import type { PlannedGeneration, RunPlan } from "./run-plan.ts";

export interface RunPlanOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told what a person should know of engine, models and rows. */
  readonly onNotice?: ((text: string) => void) | undefined;
  /** The environment's unless given. */
  readonly hub?: Hub | undefined;
  /** Where the run would be written; the current folder unless given. */
  readonly folder?: string | undefined;
  /** What times are measured by; the wall's unless given. */
  readonly watch?: Stopwatch | undefined;
  /** Whether the winner is exported at the end of the run, which the budget keeps time for. */
  readonly exports?: boolean | undefined;
  /** GPUs to score on; all that are alike unless given. */
  readonly devices?: number | undefined;
}

const byTheWall: Stopwatch = { lanes: systemClock.now, host: systemClock.now };

/**
 * What a run of an experiment would take here, with every sentence that a run would refuse it by. Nothing of a weight is read:
 * of models there are config.json, tokenizer and headers, which those of the Hub are asked for alone.
 */
export function planExperiment(experiment: Experiment, options: RunPlanOptions = {}): Promise<RunPlan> {
  const earlier = EarlierRun.of(experiment);
  return withFolders(experiment, options, (here, fetchBytes) => planFolders(here, fetchBytes, options, earlier));
}

async function planFolders(
  experiment: Experiment,
  fetchBytes: number,
  options: RunPlanOptions,
  earlier: EarlierRun | undefined,
): Promise<RunPlan> {
  const { signal, onNotice = () => {}, watch = byTheWall, folder = "." } = options;
  const engine = await openEngine(experiment, onNotice);
  const { count, why } = await countOrClose(experiment, engine, options.devices);
  const device = new RehearsalDevice(engine.device, watch);
  const devices = new RehearsedDevices(device, count);
  let speed: MeasuredSpeed | undefined;
  const clock = new BudgetClock(experiment.budget);
  await using workspace = await openWorkspace(experiment, {
    engine: { device, why },
    elsewhere: count > 1 ? devices.elsewhere(why) : undefined,
    signal,
    onNotice,
    now: device.clock.now,
    parents: (checkpoints) => new UnreadParents(device, checkpoints, () => speed ?? unmeasured()),
  });
  const begun = earlier ? earlier.take(experiment, workspace) : experiment;
  const session = await planningSession(begun, workspace, { clock, count, ...options });
  await earlier?.meet(session.tasks, { signal, hub: options.hub });
  const ownBytes = process.memoryUsage.rss();
  speed = await speedFor(experiment, watch.lanes);
  const run = await rehearseRun({ session, device, devices, signal }, onNotice);
  const { generation } = run;
  const expected = expectations(session, run.listed, run.rungs);
  const { precision } = workspace;
  const flops = speed.flops[productDtypes(precision).signal === "bf16" ? "bf16" : "f32"];
  const plan = {
    experiment: experiment.name,
    engine: device.name,
    devices: count,
    lanes: count * device.concurrency,
    precision,
    budget: experiment.budget,
    speed,
    expected,
    evaluations: expected.generations * evaluationsIn(generationKind(session)),
    gradientSteps: generation.usesGradients ? expected.generations * generation.candidates : 0,
    memory: plannedMemory(workspace, { device, ownBytes, processes: count }),
    generation: withParts(run, count * flops),
    disk: await planDisk(session, { folder, generations: expected.generations, fetchBytes }),
  };
  return { ...plan, limits: bindings(plan) };
}

/** Of a device of its own: what is rehearsed has the work space that a run has. */
async function speedFor(experiment: Experiment, now: () => number): Promise<MeasuredSpeed> {
  const { device } = await openEngine(experiment);
  try {
    return await measureSpeed(device, experiment.base, now);
  } finally {
    await device[Symbol.asyncDispose]();
  }
}

function unmeasured(): never {
  throw new Error("plan: parents were asked for before the machine was measured");
}

/** The time of a generation by part, for products at so many operations a second. */
function withParts({ generation, mergingMs: aloneMs }: RehearsedRun, flops: number): PlannedGeneration {
  const { scoringMs, waitMs, ms, flop, ...work } = generation;
  const ways = work.usesGradients ? 2 : 1;
  // Merges alone leave their weights behind, as in a generation they do not.
  const mergingMs = Math.min(aloneMs, scoringMs - waitMs);
  return {
    ...work,
    ms,
    flop,
    readingMs: ways * waitMs,
    mergingMs: ways * mergingMs,
    forwardMs: scoringMs - waitMs - mergingMs,
    backwardMs: work.usesGradients ? Math.max(0, ms - scoringMs - waitMs - mergingMs) : 0,
    productShare: flop / (flops * (ms / 1000)),
  };
}
