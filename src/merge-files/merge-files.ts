import type { Checkpoint } from "../checkpoint/checkpoint.ts";
import { freeHostBytes } from "../device/host-memory.ts";
import { tensorBytes } from "../checkpoint/safetensors-header.ts";
import { type OpenShard, type WrittenFile, writeShards } from "../checkpoint/write-checkpoint.ts";
import { MergeUnderWay } from "./merge-under-way.ts";
import type { PlannedWeight } from "./plan.ts";
import { MergeThreads } from "./threads.ts";
import { PART } from "./weight-parts.ts";

export interface MergeFilesOptions {
  /** An abort throws its reason and leaves no file. */
  readonly signal?: AbortSignal | undefined;
  /** Told how many bytes of merged weights are done, and how many there will be. */
  readonly onProgress?: ((doneBytes: number, allBytes: number) => void) | undefined;
  /** Weights of more bytes are divided into shards: 5 GB unless given. */
  readonly maxShardBytes?: number | undefined;
  /** How many threads merge: as many as there are cores, and none beside this one for a small merge, unless given. */
  readonly threads?: number | undefined;
  /** Threads that may have begun and that another ends: those of this merge alone unless given. */
  readonly begun?: MergeThreads | undefined;
  /** What whole tensors, which some methods need, may take of the memory unless one weight alone needs more: half of what is free unless given. */
  readonly roomBytes?: number | undefined;
  /** Weights of more elements are merged in parts, by all threads: 2^23 unless given. */
  readonly partElements?: number | undefined;
}

/**
 * Merges weights piece by piece on all cores and writes them into a folder as safetensors, in the order of the plan.
 * `checkpoints` has every model that the plan names. What is written is read back before files get their names. The files; a UserError
 * where a parent cannot be read or is not finite, or the result cannot be written; then the files that were in the folder
 * are untouched.
 */
export async function mergeFiles(
  plan: readonly PlannedWeight[],
  checkpoints: ReadonlyMap<string, Checkpoint>,
  folder: string,
  options: MergeFilesOptions = {},
): Promise<readonly WrittenFile[]> {
  const specs = plan.map(({ spec }) => spec);
  const bytes = specs.reduce((sum, spec) => sum + tensorBytes(spec), 0);
  const { signal, threads, onProgress = () => {}, roomBytes = freeHostBytes() / 2, partElements = PART } = options;
  const told = (done: number): void => onProgress(done, bytes);
  const fillAll = async (shards: readonly OpenShard[]): Promise<readonly string[]> => {
    await using own = new MergeThreads();
    const crew = options.begun ?? own;
    crew.begin(bytes, threads);
    await using hands = await crew.open(shards.length, signal);
    return await new MergeUnderWay(hands, { plan, checkpoints, roomBytes, partElements, signal, told }).fill(shards);
  };
  return writeShards(folder, specs, fillAll, options);
}
