/** One stage of the way back, for one candidate: it is merged again, computed as far as that was not kept, and differentiated. */
import type { Device, DeviceTensor } from "../device/device.ts";
import { substitute } from "../device/graph.ts";
import { toFloat32 } from "../tensor/half.ts";
import type { BatchShare } from "./device-batches.ts";
import { recalled } from "./kept-results.ts";
import { mergedInputs } from "./merges.ts";
import { derivativesOf } from "./stage-derivatives.ts";
import { inputsOf, stageGraph, type ScaledWeight } from "./stage-graph.ts";
import type { PathStage } from "./path.ts";
import { mapValues, type StageRun, type StateTensors } from "./stage-run.ts";

/** The derivatives by one factor at one weight, or by those of its columns, as far as the batches of one run have a part in it. */
export interface Slope extends Omit<ScaledWeight, "node"> {
  readonly values: Float32Array;
}

/** What is on the device for a run, of every batch. */
export interface BackwardTensors {
  /** The states before the stage. */
  readonly before: readonly StateTensors[];
  /** What the way forward kept of the stage. */
  readonly kept: readonly StateTensors[];
  /** Derivatives by the states behind it. */
  readonly seeds: readonly StateTensors[];
}

/** What a run on the way back leaves. */
export interface Differentiated {
  /** Derivatives by the states before the stage, of each batch of the share; a state on which nothing depends has none. */
  readonly states: readonly StateTensors[];
  readonly slopes: readonly Slope[];
}

/**
 * Derivatives of the sum over a share's batches of <state behind the stage, seed>, by what is read of the states before the
 * stage and by each coefficient of its weights. What was kept changes no bit of them.
 */
export async function runBack(
  run: StageRun,
  at: PathStage,
  { before, kept, seeds }: BackwardTensors,
  share: BatchShare,
): Promise<Differentiated> {
  const { device } = run.merging;
  const graph = stageGraph(run, at, before, share);
  const { states, slopes } = derivativesOf(graph, inputsOf(seeds, share));
  const outputs = [...states.flatMap((state) => Object.values(state)), ...slopes.map(({ sum }) => sum)];
  const known = [...recalled(graph, kept.slice(share.start, share.end)), ...mergedInputs(run, at, graph)];
  const computed = substitute(outputs, new Map(known));
  const results = computed.length === 0 ? [] : await device.run(computed, { separately: true });
  const sums = results.splice(outputs.length - slopes.length);
  try {
    const read: Slope[] = [];
    for (const [i, { sum: _, node: _node, ...slope }] of slopes.entries())
      read.push({ ...slope, values: await readNumbers(device, sums[i]!) });
    let next = 0;
    return { states: states.map((state) => mapValues(state, () => results[next++]!)), slopes: read };
  } catch (error) {
    device.free(...results);
    throw error;
  } finally {
    device.free(...sums);
  }
}

async function readNumbers(device: Device, tensor: DeviceTensor): Promise<Float32Array> {
  return toFloat32(await device.read(tensor), "f32");
}
