import { SINGLE_FILE } from "./weight-files.ts";
import { formatHeader, type StoredTensor, tensorBytes, type TensorSpec } from "./safetensors-header.ts";

/** Above this weights are divided. */
const MAX_SHARD_BYTES = 5e9;

/** A file of weights that is to be written. */
export interface PlannedShard {
  readonly file: string;
  readonly header: Uint8Array;
  /** Behind the header, one after the other. */
  readonly tensors: readonly StoredTensor[];
  readonly bytes: number;
}

export interface PlannedShards {
  readonly shards: readonly PlannedShard[];
  /** The text of the file that says which shard has which tensor, where there are several. */
  readonly index?: string;
}

/**
 * Divides tensors, in their order, into the files of a Hugging Face folder: model.safetensors, or numbered shards and their
 * index when they take more than `maxShardBytes` (only a larger tensor makes a larger shard).
 */
export function planShards(tensors: readonly TensorSpec[], maxShardBytes = MAX_SHARD_BYTES): PlannedShards {
  checkDistinctNames(tensors);
  const divided = splitBySize(tensors, maxShardBytes);
  if (divided.length === 1) return { shards: [planShard(SINGLE_FILE, tensors)] };
  const shards = divided.map((own, i) => {
    return planShard(`model-${fiveDigits(i + 1)}-of-${fiveDigits(divided.length)}.safetensors`, own);
  });
  return { shards, index: indexOf(shards) };
}

function checkDistinctNames(tensors: readonly TensorSpec[]): void {
  const names = new Set<string>(["__metadata__"]);
  for (const { name } of tensors) {
    if (names.has(name)) throw new Error(`two entries named ${name} cannot be in one checkpoint`);
    names.add(name);
  }
}

function splitBySize(tensors: readonly TensorSpec[], maxBytes: number): readonly (readonly TensorSpec[])[] {
  let shard: TensorSpec[] = [];
  let shardBytes = 0;
  const shards = [shard];
  for (const tensor of tensors) {
    const bytes = tensorBytes(tensor);
    if (shardBytes > 0 && shardBytes + bytes > maxBytes) {
      shards.push((shard = []));
      shardBytes = 0;
    }
    shard.push(tensor);
    shardBytes += bytes;
  }
  return shards;
}

function planShard(file: string, specs: readonly TensorSpec[]): PlannedShard {
  const header = formatHeader(specs);
  let end = header.length;
  const tensors = specs.map((spec) => {
    const [start, bytes] = [end, tensorBytes(spec)];
    end += bytes;
    return { ...spec, start, bytes };
  });
  return { file, header, tensors, bytes: end };
}

function indexOf(shards: readonly PlannedShard[]): string {
  const all = shards.flatMap(({ file, tensors }) => tensors.map(({ name, bytes }) => ({ name, bytes, file })));
  const index = {
    metadata: { total_size: all.reduce((sum, { bytes }) => sum + bytes, 0) },
    weight_map: Object.fromEntries(all.map(({ name, file }) => [name, file])),
  };
  return `${JSON.stringify(index, null, 2)}\n`;
}

function fiveDigits(count: number): string {
  return String(count).padStart(5, "0");
}
