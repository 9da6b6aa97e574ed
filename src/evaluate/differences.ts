/**
 * What each expert adds to the base, of the weights of a layer, computed once for all candidates that are merged there, with
 * the same bits. That saves each of them a cast and a subtraction an expert, and has it read f32: twice as much as parents in half
 * floats are. Where operations go through a cache and not through memory, reading is what counts.
 * @module
 */
import type { Device, DeviceTensor } from "../device/device.ts";
import { cast, input, sub, type Expression } from "../device/expression.ts";
import { readsDifferences } from "../merge/merge-tensor.ts";
import { elementCount } from "../tensor/dtype.ts";
import type { PathStage } from "./path.ts";
import type { StageRun } from "./stage-run.ts";

/** Merges that read them often enough: to write and read f32 costs about as much as to compute them twice. */
const LEAST_MERGES = 3;

/** Of smaller layers a merge takes less time than another run. Smaller weights of a layer have one run together. */
const LEAST_ELEMENTS = 2 ** 17;

/** Of a device, for they only save time. */
const ROOM_SHARE = 0.1;

/** Does these merges of a stage with its differences on the device, where they are worth it and there is room for them. */
export async function withDifferences<T>(
  stage: StageRun,
  merges: readonly PathStage[],
  work: (stage: StageRun) => Promise<T>,
): Promise<T> {
  const { tensors, merging } = stage;
  const { device, base, experts } = merging;
  const sizeOf = (name: string): number => elementCount(tensors.get(name)![base]!.shape);
  const isWorthIt = (name: string): boolean =>
    !device.mergesInCache || [base, ...experts].some((parent) => tensors.get(name)![parent]!.dtype === "f32");
  const names = namesOf(stage, merges).filter(isWorthIt);
  const elements = names.reduce((sum, name) => sum + sizeOf(name), 0);
  if (elements < LEAST_ELEMENTS || 4 * elements * experts.length > roomBeside(device)) return work(stage);
  const differences = new Map<string, DeviceTensor[]>();
  const computedOf = (name: string): Expression[] => {
    const parents = tensors.get(name)!;
    const start = cast(input(parents[base]!), "f32");
    return experts.map((expert) => sub(cast(input(parents[expert]!), "f32"), start));
  };
  const made = runsOf(names, sizeOf).map(async (together) => {
    const results = await device.run(together.flatMap(computedOf));
    for (const name of together) differences.set(name, results.splice(0, experts.length));
  });
  try {
    for (const each of await Promise.allSettled(made)) if (each.status === "rejected") throw each.reason;
    return await work({ ...stage, differences });
  } finally {
    device.free(...[...differences.values()].flat());
  }
}

/** Bytes of a device for what only saves time. */
export function roomBeside({ memory: { capacityBytes = 0, bytes } }: Device): number {
  return Math.min(ROOM_SHARE * capacityBytes, (capacityBytes - bytes) / 2);
}

/** Names of weights whose differences are computed together. */
function runsOf(names: readonly string[], sizeOf: (name: string) => number): string[][] {
  const large = names.filter((name) => sizeOf(name) >= LEAST_ELEMENTS);
  const small = names.filter((name) => sizeOf(name) < LEAST_ELEMENTS);
  return [...large.map((name) => [name]), ...(small.length > 0 ? [small] : [])];
}

/** Weights of layers, which are merged as a whole, where several merges read their differences; of an embedding only some rows may be. */
function namesOf({ merges: made }: StageRun, merges: readonly PathStage[]): string[] {
  const readers = new Map<string, number>();
  for (const at of merges) {
    if (at.stage.place.layer === undefined) continue;
    for (const [role, { name, step }] of Object.entries(at.sources)) {
      if (!made?.get(at)?.[role] && readsDifferences(step)) readers.set(name, (readers.get(name) ?? 0) + 1);
    }
  }
  return [...readers].filter(([, count]) => count >= LEAST_MERGES).map(([name]) => name);
}
