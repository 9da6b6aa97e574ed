/** One pass of some batches over all stages, for some candidates at once. */
import type { Device } from "../device/device.ts";
import type { Recipe } from "../merge/recipe.ts";
import { advance, drop, type Advance, type Branch, type HeldStates } from "./branches.ts";
import { statesBytes } from "./fitting.ts";
import { dividedPaths } from "./divided-stages.ts";
import { answerNames } from "../model/answers.ts";
import { type Asked, DeviceBatches } from "./device-batches.ts";
import type { PackedBatch, Target } from "./pack.ts";
import type { WorkTime } from "./pace.ts";
import { numberedAmong, rowsReadBy } from "./gathered-rows.ts";
import { stagePathsOf, routeAlong, type StagePaths } from "./path.ts";
import type { Route } from "./route.ts";
import type { LogLikelihoods } from "./scored-parts.ts";
import type { Merging, StageRun } from "./stage-run.ts";

/** What all stages of a pass share. */
export interface Pass extends Pick<StageRun, "hashing"> {
  readonly recipes: readonly Recipe[];
  readonly signal: AbortSignal | undefined;
  readonly report: (share: number) => void;
  /** Wall-clock time in milliseconds. */
  readonly now: () => number;
  /** The candidates, among those of `recipes`, that it is for. */
  readonly members: readonly number[];
}

/** A pass that adds to sums. */
export interface ScoringPass extends Pass {
  /** Sums so far. */
  readonly logLikelihoods: LogLikelihoods;
  /** 1 where all tokens so far were the most likely ones, else 0, if that is asked for. */
  readonly greedy?: LogLikelihoods | undefined;
}

/** A pass whose batches are on the device. */
export interface PassUnderWay {
  readonly batches: DeviceBatches;
  readonly paths: StagePaths;
  readonly route: Route;
  /** Whatever it holds is freed after it. */
  readonly held: Set<HeldStates>;
}

/** Sends some batches through all stages and adds up what the last one says of them; tells the time that it took. */
export async function sendThrough(
  merging: Merging,
  packed: readonly PackedBatch[],
  pass: ScoringPass,
): Promise<Pick<WorkTime, "ms" | "waitMs">> {
  const began = pass.now();
  // The states before a stage and those behind it.
  merging.parents.makeRoom(statesBytes(merging, pass.members.length, packed, 2));
  const asked = { wantsMostLikely: pass.greedy !== undefined };
  return onDevice(
    merging,
    packed,
    pass,
    async (course) => {
      const { branches, waitMs } = await goForward(merging, course, pass);
      await collect(merging.device, branches.at(-1)!, course.batches, pass);
      return { ms: pass.now() - began, waitMs };
    },
    asked,
  );
}

interface Turning {
  /** Whether a way back follows. */
  readonly turns?: boolean;
}

/** Has the batches of a pass on the device while `work` goes on. The parents' room was made before. */
export async function onDevice<T>(
  merging: Merging,
  packed: readonly PackedBatch[],
  { recipes, members, hashing }: Pick<Pass, "recipes" | "members" | "hashing">,
  work: (course: PassUnderWay) => Promise<T>,
  { turns = false, ...asked }: Asked & Turning = {},
): Promise<T> {
  const { device, model, parents } = merging;
  const whole = stagePathsOf(merging, recipes, members);
  const wholeRoute = routeAlong(whole);
  const paths = hashing || turns ? whole : dividedPaths(merging, { paths: whole, route: wholeRoute }, packed);
  const route = paths === whole ? wholeRoute : routeAlong(paths);
  // The hash of a merge is one of whole weights.
  const read = hashing ? undefined : rowsReadBy(merging, route, packed);
  const own = read ? numberedAmong(read.rows, packed) : packed;
  const batches = await DeviceBatches.upload(device, model, own, asked);
  const held = new Set<HeldStates>();
  try {
    return await work({ batches, paths, route: route.readingRows(read), held });
  } finally {
    drop(device, held, ...held);
    await parents.releaseAll();
    batches.free();
  }
}

/**
 * Sends batches through all stages. Returns the branches at the entrance of every stage, whose states are on the device
 * still where there is room for a way back, and those behind the last stage, whose parents then stay too: the way back
 * begins there.
 */
export async function goForward(
  merging: Merging,
  { batches, paths, route, held }: PassUnderWay,
  pass: Pass,
  room?: Advance["room"],
): Promise<{ readonly branches: readonly (readonly Branch[])[]; readonly waitMs: number }> {
  const { parents } = merging;
  const stages = route.stages.length;
  const branches: (readonly Branch[])[] = [[{ members: pass.members, states: [], kept: { states: [] } }]];
  let waitMs = 0;
  for (const index of route.stages.keys()) {
    const asked = pass.now();
    const tensors = await parents.load(route, index, "forward", room !== undefined);
    waitMs += pass.now() - asked;
    const stage = { merging, index, paths, tensors, batches, hashing: pass.hashing };
    try {
      branches.push(await advance(branches[index]!, stage, { held, room, signal: pass.signal }));
    } finally {
      if (!room || index < stages - 1) parents.release(route, index);
    }
    pass.report((index + 1) / stages);
  }
  return { branches, waitMs };
}

/** Adds up the log-probabilities that the last stage left, and compares the targets with the most likely tokens. */
export async function collect(
  device: Device,
  branches: readonly Branch[],
  batches: DeviceBatches,
  { logLikelihoods: sums, greedy }: Pick<ScoringPass, "logLikelihoods" | "greedy">,
): Promise<void> {
  for (const branch of branches) {
    for await (const { targets, values, mostLikely } of targetValues(device, branch, batches)) {
      for (const [j, { prompt, continuation, token }] of targets.entries()) {
        for (const member of branch.members) {
          sums[member]![prompt]![continuation]! += values[j]!;
          if (greedy && mostLikely?.[j] !== token) greedy[member]![prompt]![continuation] = 0;
        }
      }
    }
  }
}

/** What the last stage left of one slice of a batch's targets. */
interface SliceValues {
  readonly targets: readonly Target[];
  /** Log-probabilities. */
  readonly values: Float32Array;
  /** Where they are asked for. */
  readonly mostLikely?: Int32Array;
}

/** The log-probabilities that the last stage left of a branch, slice by slice of the batches' targets. */
export async function* targetValues(
  device: Device,
  { states }: Branch,
  batches: DeviceBatches,
): AsyncGenerator<SliceValues> {
  for (const [i, slices] of batches.targets.entries()) {
    for (const [j, targets] of slices.entries()) {
      const { logProbability, mostLikely } = answerNames(j);
      const bytes = await device.read(states[i]![logProbability]!);
      const values = new Float32Array(bytes.buffer, bytes.byteOffset, targets.length);
      const ids = states[i]![mostLikely] && (await device.read(states[i]![mostLikely]));
      yield { targets, values, ...(ids && { mostLikely: new Int32Array(ids.buffer, ids.byteOffset, targets.length) }) };
    }
  }
}
