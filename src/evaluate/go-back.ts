/** The way of derivatives back through the stages, from the last to the first. */
import pLimit from "p-limit";
import type { Device } from "../device/device.ts";
import { isMerge } from "../merge/recipe.ts";
import { elementCount } from "../tensor/dtype.ts";
import { runBack, type Differentiated, type Slope } from "./backward-run.ts";
import { drop, sharesOf, type Branch, type HeldStates } from "./branches.ts";
import type { BatchShare, DeviceBatches } from "./device-batches.ts";
import { withDifferences } from "./differences.ts";
import { withMerges } from "./merges.ts";
import type { PassUnderWay, Pass } from "./pass.ts";
import { stageOf, type Merging, type StageRun, type StateTensors } from "./stage-run.ts";

/** States of a candidate, or derivatives by them. */
interface OfCandidate extends HeldStates {
  readonly candidate: number;
}

/** What is known before the way back. */
export interface WayBack {
  /** At the entrance of every stage, and behind the last; states and what else was kept are on the device and are freed on the way. */
  readonly branches: readonly (readonly Branch[])[];
  /** Derivatives by the log-likelihoods of a candidate: [prompt][continuation]. */
  readonly seedsOf: (candidate: number) => readonly ArrayLike<number>[];
  /** Told, in an order that only depends on the number of lanes, every part of a derivative by a coefficient. */
  readonly meet: (candidate: number, slope: Slope) => void;
}

/** Visits the stages from the last to the first; the parents of the last are on the device. Frees the states as it goes. */
export async function goBack(
  merging: Merging,
  { batches, paths, route, held }: PassUnderWay,
  pass: Pick<Pass, "recipes" | "members" | "signal" | "report">,
  { branches, seedsOf, meet }: WayBack,
): Promise<void> {
  const { device, parents } = merging;
  const candidates = pass.members.filter((candidate) => isMerge(pass.recipes[candidate]!));
  if (candidates.length === 0) return;
  const stages = [...route.stages.keys()];
  let behind: OfCandidate[] = [];
  for (const candidate of candidates) {
    const { states } = branchOf(branches.at(-1)!, candidate);
    const put = { candidate, states: [] };
    held.add(put);
    await putSeeds(device, states, batches, seedsOf(candidate), put.states);
    behind.push(put);
  }
  drop(device, held, ...branches.at(-1)!);
  for (const index of stages.toReversed()) {
    const tensors = await parents.load(route, index, "backward");
    const stage = { merging, index, paths, tensors, batches, hashing: undefined };
    try {
      const [entrance, exit] = [branches[index]!, branches[index + 1]!];
      const ahead = await retreat(stage, behind, { entrance, exit, meet, held, signal: pass.signal });
      drop(device, held, ...behind, ...entrance, ...exit.map(({ kept }) => kept));
      behind = ahead;
    } finally {
      parents.release(route, index, "backward");
    }
    pass.report(1 - index / stages.length);
  }
}

/** How a stage is differentiated. */
interface Retreat extends Pick<WayBack, "meet">, Pick<PassUnderWay, "held"> {
  readonly entrance: readonly Branch[];
  readonly exit: readonly Branch[];
  readonly signal: AbortSignal | undefined;
}

/** Differentiates one stage for every candidate. Returns the derivatives by the states before it. */
async function retreat(stage: StageRun, behind: readonly OfCandidate[], how: Retreat): Promise<OfCandidate[]> {
  const shares = sharesOf(stage, behind.length);
  const merges = behind.flatMap(({ candidate }) => shares.map(() => stageOf(stage, candidate)!));
  // Derivatives by coefficients read differences also of weights that are merged already.
  return withDifferences(stage, merges, (own) =>
    withMerges(stage, merges, (made) => runAllBack({ ...own, merges: made }, behind, shares, how)),
  );
}

async function runAllBack(
  stage: StageRun,
  behind: readonly OfCandidate[],
  shares: readonly BatchShare[],
  { entrance, exit, meet, held, signal }: Retreat,
): Promise<OfCandidate[]> {
  const limit = pLimit(stage.merging.device.concurrency);
  const runs = behind.map(async ({ candidate, states: seeds }) => {
    const [before, kept] = [branchOf(entrance, candidate).states, branchOf(exit, candidate).kept.states];
    const settled = await Promise.allSettled(
      shares.map((share) =>
        limit(async () => {
          signal?.throwIfAborted();
          return runBack(stage, stageOf(stage, candidate)!, { before, kept, seeds }, share);
        }),
      ),
    );
    const done = settled.flatMap((result): Differentiated[] => (result.status === "fulfilled" ? [result.value] : []));
    const ahead = { candidate, states: done.flatMap(({ states }) => states) };
    held.add(ahead);
    return { ahead, slopes: done.flatMap(({ slopes }) => slopes), failure: settled.find(isFailure) };
  });
  // Every run is over before a failure is thrown: whatever it reads may be freed then.
  return (await Promise.all(runs)).map(({ ahead, slopes, failure }) => {
    if (failure) throw failure.reason;
    for (const slope of slopes) meet(ahead.candidate, slope);
    return ahead;
  });
}

/** Brings the derivatives by the log-probabilities to the device, named and divided as the last stage left these. */
async function putSeeds(
  device: Device,
  states: readonly StateTensors[],
  { targets }: DeviceBatches,
  seeds: readonly ArrayLike<number>[],
  put: StateTensors[],
): Promise<void> {
  for (const [batch, slices] of targets.entries()) {
    const own: Record<string, StateTensors[string]> = {};
    put.push(own);
    for (const [i, [name, { shape }]] of Object.entries(states[batch] ?? {}).entries()) {
      // What pads a slice has no part in a loss.
      const values = new Float32Array(elementCount(shape));
      values.set(slices[i]!.map(({ prompt, continuation }) => seeds[prompt]?.[continuation] ?? 0));
      own[name] = await device.upload(new Uint8Array(values.buffer), "f32", shape);
    }
  }
}

function branchOf(branches: readonly Branch[], candidate: number): Branch {
  const found = branches.find(({ members }) => members.includes(candidate));
  if (!found) throw new Error(`derivatives: candidate ${candidate} is in no branch`);
  return found;
}

function isFailure(result: PromiseSettledResult<unknown>): result is PromiseRejectedResult {
  return result.status === "rejected";
}
