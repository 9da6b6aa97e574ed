/** Candidates on their way through the stages: together as long as they agree, apart from where they differ. */
import pLimit from "p-limit";
import type { Device } from "../device/device.ts";
import type { BatchShare } from "./device-batches.ts";
import { withDifferences } from "./differences.ts";
import type { Stage } from "../model/architecture.ts";
import type { Room } from "./fitting.ts";
import { runShare, type Advanced } from "./forward-run.ts";
import { withMerges } from "./merges.ts";
import type { PathStage } from "./path.ts";
import { stageOf, type StageRun, type StateTensors } from "./stage-run.ts";

/** How much longer a stage may take than it would if all lanes were busy throughout. */
const MAX_IDLE = 1.15;

/** States on the device, one of each batch. */
export interface HeldStates {
  readonly states: readonly StateTensors[];
}

/** Candidates that agree so far, and what the stage before left of each batch. */
export interface Branch extends HeldStates {
  readonly members: readonly number[];
  /** What was kept of the stage before for a way back. */
  readonly kept: HeldStates;
}

/** How a stage is run. */
export interface Advance {
  /** For a way back the states that it reads stay on the device, and as much of what is computed of them as there is room for. */
  readonly room: Room | undefined;
  /** What is on the device; whoever holds it frees it. */
  readonly held: Set<HeldStates>;
  readonly signal: AbortSignal | undefined;
}

/** Runs one stage for every branch, splitting it where its candidates differ; those whose paths are over stay as they are. */
export async function advance(branches: readonly Branch[], stage: StageRun, how: Advance): Promise<Branch[]> {
  const isOver = ({ members }: Branch): boolean => stageOf(stage, members[0]!) === undefined;
  const splits = branches
    .filter((branch) => !isOver(branch))
    .map((branch) => ({ branch, parts: splitMembers(branch, stage) }));
  const candidates = splits.reduce((sum, { parts }) => sum + parts.length, 0);
  const shares = sharesOf(stage, candidates);
  const merges = splits.flatMap(({ parts }) => parts.flatMap(({ at }) => shares.map(() => at)));
  const ahead = await withMerges(stage, merges, (made) =>
    withDifferences({ ...stage, merges: made }, merges, (own) => runSplits(splits, shares, own, how)),
  );
  return [...branches.filter(isOver), ...ahead];
}

async function runSplits(
  splits: readonly { readonly branch: Branch; readonly parts: readonly Part[] }[],
  shares: readonly BatchShare[],
  stage: StageRun,
  { room, held, signal }: Advance,
): Promise<Branch[]> {
  const { device } = stage.merging;
  const limit = pLimit(device.concurrency);
  const run = (branch: Branch, { at, members }: Part, share: BatchShare): Promise<Advanced> =>
    limit(async () => {
      signal?.throwIfAborted();
      return runShare(stage, at, members, branch.states, share, room);
    });
  const runs = splits.map(async ({ branch, parts }) => {
    const settled = await Promise.all(
      parts.map((part) => Promise.allSettled(shares.map((share) => run(branch, part, share)))),
    );
    // What a part of a stage hands on stays until the pass is over.
    if (!room && !parts.some(({ at }) => at.isPart)) drop(device, held, branch);
    // What there is of a branch is held even if a share of it failed.
    const advanced = settled.map((results, i): Branch => {
      const done = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      const kept = { states: done.flatMap((share) => share.kept) };
      return { members: parts[i]!.members, states: done.flatMap((share) => share.states), kept };
    });
    for (const part of advanced) held.add(part).add(part.kept);
    return { advanced, failure: settled.flat().find((result) => result.status === "rejected") };
  });
  // Every run is over before a failure is thrown: whatever it reads may be freed then.
  return (await Promise.all(runs)).flatMap(({ advanced, failure }) => {
    if (failure) throw failure.reason;
    return advanced;
  });
}

/** Frees states that are held. */
export function drop(device: Device, held: Set<HeldStates>, ...dropped: readonly HeldStates[]): void {
  // Behind parts of a stage several have a tensor.
  device.free(...new Set(dropped.flatMap(({ states }) => states.flatMap((state) => Object.values(state)))));
  for (const one of dropped) held.delete(one);
}

/**
 * The runs into which to divide the batches of each candidate, so that candidates that do not fill the device's lanes
 * evenly leave few of them idle. A candidate's weights are merged in each of its runs, hence no more than needed.
 */
export function sharesOf(
  { merging, batches }: Pick<StageRun, "merging" | "batches">,
  candidates: number,
): BatchShare[] {
  const lanes = merging.device.concurrency;
  for (let shares = 1; shares < lanes; shares += 1) {
    const rounds = Math.ceil((candidates * shares) / lanes) / shares;
    if (rounds <= MAX_IDLE * (candidates / lanes)) return batches.divide(shares);
  }
  return batches.divide(lanes);
}

/** Candidates of a branch that agree on a stage. */
interface Part {
  readonly at: PathStage;
  readonly members: readonly number[];
}

/** The branch's candidates, grouped by what this stage computes and what its weights are made of. */
function splitMembers({ members }: Branch, stage: StageRun): Part[] {
  const groups = new Map<Stage["forward"], Map<string, Part>>();
  for (const member of members) {
    const at = stageOf(stage, member)!;
    const alike = groups.get(at.stage.forward) ?? new Map<string, Part>();
    groups.set(at.stage.forward, alike);
    const key = JSON.stringify(at.sources);
    alike.set(key, { at, members: [...(alike.get(key)?.members ?? []), member] });
  }
  return [...groups.values()].flatMap((alike) => [...alike.values()]);
}
