/** One stage of the way back, for one candidate: it is merged and computed again, and differentiated. */
import type { Device, DeviceTensor } from "../device/device.ts";
import { add, type Expression } from "../device/expression.ts";
import { dot, gradients } from "../device/gradient.ts";
import { rowsFirst } from "../device/rows-first.ts";
import type { Scaled } from "../merge/merge-tensor.ts";
import type { State, Weight } from "../model/architecture.ts";
import type { BatchShare } from "./device-batches.ts";
import { forwardStage, inputsOf, mapValues, mergeStage, type StageRun, type StateTensors } from "./stage-run.ts";

/** The derivative by one coefficient at one weight, as far as the batches of one run have a part in it. */
export interface Slope extends Omit<Scaled, "node"> {
  readonly weight: Weight;
  readonly value: number;
}

/** A coefficient at a weight, and the nodes whose factor it is: the one of the merge, and its copies for rows of it. */
interface CoefficientNodes extends Omit<Slope, "value"> {
  readonly nodes: Expression[];
}

interface Seeded {
  readonly output: Expression;
  readonly seed: Expression;
}

/** What a run on the way back leaves. */
export interface Differentiated {
  /** Derivatives by the states before the stage, of each batch of the share; a state on which nothing depends has none. */
  readonly states: readonly StateTensors[];
  readonly slopes: readonly Slope[];
}

/**
 * Derivatives of the sum over a share's batches of <state behind the stage, seed>, by what is read of the states before the
 * stage and by each coefficient of its weights; `seeds` has those of every batch. Rounding the merged weights to the
 * checkpoint's dtype passes derivatives unchanged.
 */
export async function runBack(
  stage: StageRun,
  candidate: number,
  before: readonly StateTensors[],
  seeds: readonly StateTensors[],
  share: BatchShare,
): Promise<Differentiated> {
  const { device } = stage.merging;
  const { states, slopes } = derivativesOf(stage, candidate, inputsOf(before, share), inputsOf(seeds, share), share);
  const outputs = [...states.flatMap((state) => Object.values(state)), ...slopes.map(({ sum }) => sum)];
  const results = outputs.length === 0 ? [] : await device.run(outputs);
  const scalars = results.splice(outputs.length - slopes.length);
  try {
    const read: Slope[] = [];
    for (const [i, { sum: _, ...slope }] of slopes.entries())
      read.push({ ...slope, value: await readNumber(device, scalars[i]!) });
    let next = 0;
    return { states: states.map((state) => mapValues(state, () => results[next++]!)), slopes: read };
  } catch (error) {
    device.free(...results);
    throw error;
  } finally {
    device.free(...scalars);
  }
}

/** The same as expressions, each sum f32 [1]. */
function derivativesOf(
  stage: StageRun,
  candidate: number,
  before: readonly State[],
  seeds: readonly State[],
  share: BatchShare,
): { readonly states: readonly State[]; readonly slopes: readonly (Omit<Slope, "value"> & { sum: Expression })[] } {
  const entries: CoefficientNodes[] = [];
  const merged = mergeStage(stage, stage.recipes[candidate]!, (weight, { node, ...scaled }) =>
    entries.push({ weight, ...scaled, nodes: [node] }),
  );
  const seeded = seededOutputs(forwardStage(stage, merged, before, share), seeds, (node, copy) => {
    for (const { nodes } of entries) if (nodes[0] === node) nodes.push(copy);
  });
  const wanted = [...before.flatMap((state) => Object.values(state)), ...entries.flatMap(({ nodes }) => nodes)];
  const derivatives = new Map(gradients(seeded, wanted).map((derivative, i) => [wanted[i]!, derivative]));
  const slopes = entries.flatMap(({ nodes, ...slope }) => {
    const parts = nodes.flatMap((node) => byFactor(node, derivatives.get(node)));
    return parts.length === 0 ? [] : [{ ...slope, sum: parts.reduce((sum, part) => add(sum, part)) }];
  });
  return { states: before.map((state) => mapDefined(state, (node) => derivatives.get(node))), slopes };
}

/** What the stage leaves, with its seeds; what has no seed matters to nothing. */
function seededOutputs(
  after: readonly State[],
  seeds: readonly State[],
  copied: (node: Expression, copy: Expression) => void,
): Seeded[] {
  const seeded = after.flatMap((state, i) =>
    Object.values(mapDefined(state, (output, name) => seeds[i]?.[name] && { output, seed: seeds[i][name] })),
  );
  const outputs = rowsFirst(
    seeded.map(({ output }) => output),
    copied,
  );
  return seeded.map(({ seed }, i) => ({ output: outputs[i]!, seed }));
}

/** With respect to the factor of a `scale` node. */
function byFactor(node: Expression, derivative: Expression | undefined): Expression[] {
  return derivative && node.op === "scale" ? [dot(derivative, node.x)] : [];
}

async function readNumber(device: Device, tensor: DeviceTensor): Promise<number> {
  const bytes = await device.read(tensor);
  return new DataView(bytes.buffer, bytes.byteOffset).getFloat32(0, true);
}

/** A record of what there is a value for. */
function mapDefined<T, U>(
  record: Readonly<Record<string, T>>,
  to: (value: T, name: string) => U | undefined,
): Record<string, U> {
  const entries = Object.entries(record).flatMap(([name, value]) => {
    const found = to(value, name);
    return found === undefined ? [] : [[name, found] as const];
  });
  return Object.fromEntries(entries);
}
