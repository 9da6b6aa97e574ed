/** One stage of one pass: what is on the device for it, and what its weights are. */
import { WeightsDigest } from "../checkpoint/weights-digest.ts";
import { storedDtype, type Device, type DeviceTensor } from "../device/device.ts";
import type { Model, Weight } from "../model/architecture.ts";
import type { DeviceBatches } from "./device-batches.ts";
import type { Merges } from "./merges.ts";
import type { ParentTensors, ParentWeights } from "./parent-weights.ts";
import type { StagePaths, PathStage } from "./path.ts";

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

/** What a stage left of one batch, or derivatives by that, or results from inside it, on the device by name. */
export type StateTensors = Readonly<Record<string, DeviceTensor>>;

/** A stage of a pass: its parents and the pass's batches are on the device. */
export interface StageRun {
  readonly merging: Merging;
  readonly index: number;
  readonly paths: StagePaths;
  readonly tensors: ParentTensors;
  readonly batches: DeviceBatches;
  readonly hashing: WeightsHashing | undefined;
  /** By the weight's name, where they are on the device: see differences.ts. */
  readonly differences?: ReadonlyMap<string, readonly DeviceTensor[]>;
  /** Weights that are merged already. */
  readonly merges?: Merges;
}

/** The stage that a candidate is at; none where its path is over. */
export function stageOf({ paths, index }: Pick<StageRun, "paths" | "index">, candidate: number): PathStage | undefined {
  return paths.get(candidate)?.[index];
}

/** A record with the same names. */
export function mapValues<T, U>(record: Readonly<Record<string, T>>, to: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, to(value)]));
}
