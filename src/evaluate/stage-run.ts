/** One stage of one pass, for one candidate: merge its weights, send tokens through, hash the weights on request. */
import { WeightsDigest } from "../checkpoint/weights-digest.ts";
import { storedDtype, type Device, type DeviceTensor } from "../device/device.ts";
import { input } from "../device/expression.ts";
import { rowsFirst } from "../device/rows-first.ts";
import { mergeTensor, type Scaled } from "../merge/merge-tensor.ts";
import { stepAt, type Recipe, type Step } from "../merge/recipe.ts";
import type { Model, StageTensors, State, Weight } from "../model/architecture.ts";
import type { BatchShare, DeviceBatches } from "./device-batches.ts";
import type { ParentTensors, ParentWeights } from "./parent-weights.ts";

/** What candidates are made of and where they run. */
export interface Merging {
  readonly device: Device;
  readonly model: Model;
  readonly parents: ParentWeights;
  readonly base: string;
  readonly experts: readonly string[];
}

/** Takes the hash of one candidate's merged weights while they are scored. */
export class WeightsHashing {
  readonly candidate: number;
  readonly digest: WeightsDigest = new WeightsDigest();
  readonly #names = new Set<string>();

  constructor(candidate: number) {
    this.candidate = candidate;
  }

  /** Whether a weight is still to be hashed; a tied head was hashed as the embedding. */
  wants({ name }: Weight): boolean {
    return !this.#names.has(name);
  }

  async add({ name }: Weight, tensor: DeviceTensor, device: Device): Promise<void> {
    this.#names.add(name);
    await this.digest.add({ name, dtype: storedDtype(tensor), shape: tensor.shape }, await device.read(tensor));
  }
}

/** What a stage left of one batch, on the device. */
export type StateTensors = Readonly<Record<string, DeviceTensor>>;

/** A stage of a pass: its parents and the pass's batches are on the device. */
export interface StageRun {
  readonly merging: Merging;
  readonly index: number;
  readonly recipes: readonly Recipe[];
  readonly tensors: ParentTensors;
  readonly batches: DeviceBatches;
  readonly hashing: WeightsHashing | undefined;
}

/** Coefficients of a candidate at every weight of the stage. */
export function stepsOf({ merging, index }: StageRun, recipe: Recipe): Step[] {
  return weightsOf(merging, index).map(([, weight]) => stepAt(recipe, weight, merging.experts));
}

/**
 * Sends a share of the batches through the stage of candidates that agree on it, in one computation; `states` has what the
 * stage before left of every batch. Returns the states of the share's batches.
 */
export async function runShare(
  stage: StageRun,
  members: readonly number[],
  states: readonly StateTensors[],
  share: BatchShare,
): Promise<StateTensors[]> {
  const { merging, hashing, recipes, index } = stage;
  const { device } = merging;
  const merged = mergeStage(stage, recipes[members[0]!]!);
  const after = forwardStage(stage, merged, inputsOf(states, share), share);
  const outputs = rowsFirst(after.flatMap((state) => Object.values(state)));
  const hashes = hashing !== undefined && share.isFirst && members.includes(hashing.candidate);
  const hashed = hashes ? weightsOf(merging, index).filter(([, weight]) => hashing.wants(weight)) : [];
  const results = await device.run([...outputs, ...hashed.map(([role]) => merged[role]!)]);
  const weights = results.slice(outputs.length);
  for (const [i, [, weight]] of hashed.entries()) await hashing?.add(weight, weights[i]!, device);
  device.free(...weights);
  let next = 0;
  return after.map((state) => mapValues(state, () => results[next++]!));
}

/** The stage's merged weights by role; `meet` is told where each coefficient enters a weight. */
export function mergeStage(
  { merging, index, tensors }: StageRun,
  recipe: Recipe,
  meet: (weight: Weight, scaled: Scaled) => void = () => {},
): StageTensors {
  const { base, experts } = merging;
  const merged = weightsOf(merging, index).map(([role, weight]) => {
    const models = Object.fromEntries(
      Object.entries(tensors[role] ?? {}).map(([name, tensor]) => [name, input(tensor)]),
    );
    const step = stepAt(recipe, weight, experts);
    return [role, mergeTensor({ models, base, experts }, step, (scaled) => meet(weight, scaled))];
  });
  return Object.fromEntries(merged) as StageTensors;
}

/** What is read of the states of every batch in a share; before the first stage there is none. */
export function inputsOf(states: readonly StateTensors[], { start, end }: BatchShare): State[] {
  return Array.from({ length: end - start }, (_, i) => mapValues(states[start + i] ?? {}, input));
}

/** The states of a share's batches behind the stage, from those before it. */
export function forwardStage(
  { merging, index, batches: { batches } }: StageRun,
  weights: StageTensors,
  states: readonly State[],
  { start, end }: BatchShare,
): State[] {
  const { forward } = merging.model.stages[index]!;
  return batches.slice(start, end).map((batch, i) => forward(weights, states[i]!, batch));
}

function weightsOf({ model }: Merging, index: number): [string, Weight][] {
  return Object.entries(model.stages[index]?.weights ?? {});
}

/** A record with the same names. */
export function mapValues<T, U>(record: Readonly<Record<string, T>>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}
