import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../errors.ts";
import { StagedFile } from "../files/atomic-file.ts";
import { INDEX_FILE, SINGLE_FILE } from "./weight-files.ts";
import { updateHash } from "./pieces.ts";
import { formatHeader, tensorBytes, type TensorSpec } from "./safetensors-header.ts";
import { reasonOf } from "../files/system-error.ts";

export type { TensorSpec } from "./safetensors-header.ts";

/** A file of a written checkpoint: its name in the folder, its size, and the sha256 of its content in hexadecimal. */
export interface WrittenFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

type Produce = (name: string) => Promise<Uint8Array>;

interface PlannedFile {
  readonly file: string;
  readonly bytes: number;
  readonly parts: AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/**
 * Writes the weights of a Hugging Face folder: model.safetensors, or numbered shards and their index when the tensors
 * take more than `maxShardBytes` (only a larger tensor makes a larger shard). `produce` is asked for one tensor at a time,
 * in order. Files get their names once all are complete on disk, so that an error leaves the old ones untouched;
 * a UserError when the disk is full or the folder cannot be written.
 */
export async function writeCheckpoint(
  folder: string,
  tensors: readonly TensorSpec[],
  produce: Produce,
  options: { maxShardBytes?: number } = {},
): Promise<WrittenFile[]> {
  checkDistinctNames(tensors);
  const planned = planFiles(tensors, produce, options.maxShardBytes ?? 5e9);
  await createFolder(folder);
  const staged: StagedFile[] = [];
  const written: WrittenFile[] = [];
  try {
    for (const { file, bytes, parts } of planned) {
      const target = await StagedFile.create(join(folder, file), bytes);
      staged.push(target);
      written.push(await fill(target, parts));
    }
    for (const file of staged) await file.publish();
  } finally {
    for (const file of staged) await file[Symbol.asyncDispose]();
  }
  // A reader must not find the weights that were here before in the other layout.
  await rm(join(folder, planned.length > 1 ? SINGLE_FILE : INDEX_FILE), { force: true });
  return written;
}

function checkDistinctNames(tensors: readonly TensorSpec[]): void {
  const names = new Set<string>(["__metadata__"]);
  for (const { name } of tensors) {
    if (names.has(name)) throw new Error(`two entries named ${name} cannot be in one checkpoint`);
    names.add(name);
  }
}

/** The files in the order in which they take their names: the index last, when every shard it names is there. */
function planFiles(tensors: readonly TensorSpec[], produce: Produce, maxShardBytes: number): readonly PlannedFile[] {
  const shards = splitBySize(tensors, maxShardBytes);
  if (shards.length === 1) return [planWeights(SINGLE_FILE, tensors, produce)];
  const nameOf = (i: number): string => `model-${fiveDigits(i + 1)}-of-${fiveDigits(shards.length)}.safetensors`;
  return [...shards.map((shard, i) => planWeights(nameOf(i), shard, produce)), planIndex(shards, nameOf)];
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

function fiveDigits(count: number): string {
  return String(count).padStart(5, "0");
}

function planWeights(file: string, tensors: readonly TensorSpec[], produce: Produce): PlannedFile {
  const header = formatHeader(tensors);
  return { file, bytes: header.length + totalBytes(tensors), parts: parts() };

  async function* parts(): AsyncGenerator<Uint8Array> {
    yield header;
    for (const tensor of tensors) {
      const bytes = await produce(tensor.name);
      if (bytes.length !== tensorBytes(tensor))
        throw new Error(`tensor ${tensor.name}: expected ${tensorBytes(tensor)} bytes, found ${bytes.length}`);
      yield bytes;
    }
  }
}

function planIndex(shards: readonly (readonly TensorSpec[])[], nameOf: (i: number) => string): PlannedFile {
  const index = {
    metadata: { total_size: totalBytes(shards.flat()) },
    weight_map: Object.fromEntries(shards.flatMap((shard, i) => shard.map(({ name }) => [name, nameOf(i)]))),
  };
  const text = Buffer.from(`${JSON.stringify(index, null, 2)}\n`);
  return { file: INDEX_FILE, bytes: text.length, parts: [text] };
}

function totalBytes(tensors: readonly TensorSpec[]): number {
  return tensors.reduce((total, tensor) => total + tensorBytes(tensor), 0);
}

async function createFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new UserError(`cannot create ${folder}: ${reasonOf(cause)}`, { cause });
  }
}

async function fill(target: StagedFile, parts: PlannedFile["parts"]): Promise<WrittenFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const part of parts) {
    await updateHash(hash, part);
    await target.append(part);
    bytes += part.length;
  }
  await target.close();
  return { file: basename(target.path), bytes, sha256: hash.digest("hex") };
}
