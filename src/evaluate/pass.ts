/** One pass of some batches over all stages, for some candidates at once. */
import pLimit from "p-limit";
import type { Device } from "../device/device.ts";
import { DeviceBatches, type BatchShare } from "./device-batches.ts";
import type { PackedBatch } from "./pack.ts";
import type { WorkTime } from "./pace.ts";
import type { LogLikelihoods } from "./scored-parts.ts";
import { runShare, stepsOf, type Merging, type StageRun, type StateTensors } from "./stage-run.ts";

/** How much longer a stage may take than it would if all lanes were busy throughout. */
const MAX_IDLE = 1.15;

/** Candidates that agree so far, and what the stage before left of each batch. */
interface Branch {
  readonly members: readonly number[];
  readonly states: readonly StateTensors[];
}

/** What all stages of a pass share. */
export interface Pass extends Pick<StageRun, "recipes" | "hashing"> {
  readonly signal: AbortSignal | undefined;
  readonly report: (share: number) => void;
  /** Wall-clock time in milliseconds. */
  readonly now: () => number;
  /** The candidates, among those of `recipes`, that it is for. */
  readonly members: readonly number[];
  /** Sums so far. */
  readonly logLikelihoods: LogLikelihoods;
}

/** Sends some batches through all stages and adds up what the last one says of them; tells the time that it took. */
export async function sendThrough(
  merging: Merging,
  packed: readonly PackedBatch[],
  pass: Pass,
): Promise<Pick<WorkTime, "ms" | "waitMs">> {
  const { device, model, parents } = merging;
  const began = pass.now();
  let waitMs = 0;
  const batches = await DeviceBatches.upload(device, model, packed);
  const held = new Set<Branch>();
  let branches: readonly Branch[] = [{ members: pass.members, states: [] }];
  try {
    for (const index of model.stages.keys()) {
      const asked = pass.now();
      const tensors = await parents.load(index);
      waitMs += pass.now() - asked;
      const stage = { merging, index, tensors, batches, ...pass };
      try {
        branches = await advance(branches, stage, held, pass.signal);
      } finally {
        parents.release(index);
      }
      pass.report((index + 1) / model.stages.length);
    }
    await collect(device, branches, batches, pass.logLikelihoods);
    return { ms: pass.now() - began, waitMs };
  } finally {
    for (const branch of held) freeStates(device, branch);
    parents.releaseAll();
    batches.free();
  }
}

/** Runs one stage for every branch, splitting it where its candidates differ; frees the states it consumed. */
async function advance(
  branches: readonly Branch[],
  stage: StageRun,
  held: Set<Branch>,
  signal: AbortSignal | undefined,
): Promise<Branch[]> {
  const { device } = stage.merging;
  const limit = pLimit(device.concurrency);
  const splits = branches.map((branch) => ({ branch, parts: splitMembers(branch, stage) }));
  const candidates = splits.reduce((sum, { parts }) => sum + parts.length, 0);
  const shares = stage.batches.divide(sharesFor(candidates, device.concurrency));
  const run = (branch: Branch, members: readonly number[], share: BatchShare): Promise<StateTensors[]> =>
    limit(async () => {
      signal?.throwIfAborted();
      return runShare(stage, members, branch.states, share);
    });
  const runs = splits.map(async ({ branch, parts }) => {
    const settled = await Promise.all(
      parts.map((members) => Promise.allSettled(shares.map((share) => run(branch, members, share)))),
    );
    freeStates(device, branch);
    held.delete(branch);
    // What there is of a branch is held even if a share of it failed.
    const advanced = settled.map((results, i) => ({ members: parts[i]!, states: succeeded(results) }));
    for (const part of advanced) held.add(part);
    return { advanced, failure: settled.flat().find((result) => result.status === "rejected") };
  });
  // Every run is over before a failure is thrown: whatever it reads may be freed then.
  return (await Promise.all(runs)).flatMap(({ advanced, failure }) => {
    if (failure) throw failure.reason;
    return advanced;
  });
}

async function collect(
  device: Device,
  branches: readonly Branch[],
  batches: DeviceBatches,
  sums: Pass["logLikelihoods"],
): Promise<void> {
  for (const { members, states } of branches) {
    const logProbabilities = states.flatMap((state) => Object.values(state));
    for (const [i, targets] of batches.targets.flat().entries()) {
      const bytes = await device.read(logProbabilities[i]!);
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, targets.length);
      for (const [j, { prompt, continuation }] of targets.entries()) {
        for (const member of members) sums[member]![prompt]![continuation]! += values[j]!;
      }
    }
  }
}

/** The branch's candidates, grouped by their coefficients in this stage. */
function splitMembers({ members }: Branch, stage: StageRun): number[][] {
  const groups = new Map<string, number[]>();
  for (const member of members) {
    const key = JSON.stringify(stepsOf(stage, stage.recipes[member]!));
    groups.set(key, [...(groups.get(key) ?? []), member]);
  }
  return [...groups.values()];
}

/**
 * Into how many runs to divide the batches of each candidate, so that candidates that do not fill the device's lanes
 * evenly leave few of them idle. A candidate's weights are merged in each of its runs, hence no more than needed.
 */
function sharesFor(candidates: number, lanes: number): number {
  for (let shares = 1; shares < lanes; shares += 1) {
    const rounds = Math.ceil((candidates * shares) / lanes) / shares;
    if (rounds <= MAX_IDLE * (candidates / lanes)) return shares;
  }
  return lanes;
}

function freeStates(device: Device, { states }: Branch): void {
  device.free(...states.flatMap((state) => Object.values(state)));
}

function succeeded(results: readonly PromiseSettledResult<StateTensors[]>[]): StateTensors[] {
  return results.flatMap((result) => (result.status === "fulfilled" ? result.value : []));
}
