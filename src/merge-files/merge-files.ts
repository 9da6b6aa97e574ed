import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { WeightsDigest } from "../checkpoint/weights-digest.ts";
import { writeCheckpoint, type WrittenFile } from "../checkpoint/write-checkpoint.ts";
import { tensorBytes } from "../checkpoint/safetensors-header.ts";
import { mergeStored, type ParentTensor } from "./merge-stored.ts";
import { parentsOf, type PlannedWeight, type TensorSource } from "./plan.ts";

export interface MergeFilesOptions {
  /** An abort throws its reason and leaves no file. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of merged weights are done, and how many there will be. */
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
  /** Weights of more bytes are divided into shards: 5 GB unless given. */
  readonly maxShardBytes?: number | undefined;
}

/** Weights on the disk: their digest, however they are divided into files, and the files. */
export interface MergedWeights {
  readonly digest: string;
  readonly files: readonly WrittenFile[];
}

/**
 * Merges weights tensor by tensor, in the order of the plan, and writes them into a folder as safetensors. `checkpoints` has
 * every model that the plan names. A UserError where a parent cannot be read or the result cannot be written; then the files
 * that were in the folder are untouched.
 */
export async function mergeFiles(
  plan: readonly PlannedWeight[],
  checkpoints: ReadonlyMap<string, Checkpoint>,
  folder: string,
  { signal, onProgress, maxShardBytes }: MergeFilesOptions = {},
): Promise<MergedWeights> {
  const byName = new Map(plan.map((weight) => [weight.spec.name, weight]));
  const specs = plan.map(({ spec }) => spec);
  const all = specs.reduce((sum, spec) => sum + tensorBytes(spec), 0);
  const digest = new WeightsDigest();
  let done = 0;
  const produce = async (name: string): Promise<Uint8Array> => {
    signal?.throwIfAborted();
    const weight = byName.get(name) ?? absent(name);
    const stored = await Promise.all(parentsOf(weight).map((source) => readStored(checkpoints, source)));
    const bytes = await mergeStored(weight, stored);
    await digest.add(weight.spec, bytes);
    done += bytes.length;
    onProgress?.(done, all);
    return bytes;
  };
  const files = await writeCheckpoint(folder, specs, produce, maxShardBytes === undefined ? {} : { maxShardBytes });
  return { digest: digest.digest(), files };
}

async function readStored(
  checkpoints: ReadonlyMap<string, Checkpoint>,
  { model, tensor }: TensorSource,
): Promise<ParentTensor> {
  const checkpoint = checkpoints.get(model) ?? absent(model);
  const { dtype, shape } = checkpoint.tensors.get(tensor) ?? absent(`${tensor} of ${model}`);
  return { dtype, shape, bytes: await checkpoint.read(tensor) };
}

function absent(name: string): never {
  throw new Error(`merge: nothing is known of ${name}`);
}
