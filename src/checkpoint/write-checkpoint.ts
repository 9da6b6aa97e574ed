import { createHash } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { basename, join } from "node:path";
import { UserError } from "../errors.ts";
import { StagedFile } from "../files/atomic-file.ts";
import { sha256Of } from "../files/sha256.ts";
import { whyRefused } from "../files/cannot-write.ts";
import { updateHash } from "./pieces.ts";
import { type PlannedShard, planShards } from "./plan-shards.ts";
import type { TensorSpec } from "./safetensors-header.ts";
import { INDEX_FILE, SINGLE_FILE } from "./weight-files.ts";

export type { TensorSpec } from "./safetensors-header.ts";

/** A file of a written checkpoint: its name in the folder, its size, and the sha256 of its content in hexadecimal. */
export interface WrittenFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

type Produce = (name: string) => Promise<Uint8Array>;

/** A file of weights that is open for writing under another name. */
export interface OpenShard extends PlannedShard {
  readonly target: StagedFile;
}

/** How a checkpoint is divided: into files of at most 5 GB unless given. */
interface Division {
  readonly maxShardBytes?: number | undefined;
}

/**
 * Writes the weights of a Hugging Face folder. `produce` is asked for one tensor at a time, in order. Files get their names
 * once all are complete on disk, so that an error leaves the old ones untouched; a UserError when the disk is full or the
 * folder cannot be written.
 */
export function writeCheckpoint(
  folder: string,
  tensors: readonly TensorSpec[],
  produce: Produce,
  division: Division = {},
): Promise<WrittenFile[]> {
  const fillAll = async (shards: readonly OpenShard[]): Promise<string[]> => {
    const sums: string[] = [];
    for (const shard of shards) sums.push(await fill(shard, produce));
    return sums;
  };
  return writeShards(folder, tensors, fillAll, division);
}

/** The same where `fillAll` writes and closes all files, and returns the sha256 of each. */
export async function writeShards(
  folder: string,
  tensors: readonly TensorSpec[],
  fillAll: (shards: readonly OpenShard[]) => Promise<readonly string[]>,
  { maxShardBytes }: Division = {},
): Promise<WrittenFile[]> {
  const { shards, index } = planShards(tensors, maxShardBytes);
  await createFolder(folder);
  const staged: StagedFile[] = [];
  const create = async (file: string, bytes: number): Promise<StagedFile> => {
    const target = await StagedFile.create(join(folder, file), bytes);
    staged.push(target);
    return target;
  };
  const written: WrittenFile[] = [];
  try {
    const open: OpenShard[] = [];
    for (const shard of shards) open.push({ ...shard, target: await create(shard.file, shard.bytes) });
    const sums = await fillAll(open);
    written.push(...shards.map(({ file, bytes }, i) => ({ file, bytes, sha256: sums[i] ?? "" })));
    if (index !== undefined) {
      const bytes = Buffer.byteLength(index);
      // The last to take its name, when every shard it names is there.
      const target = await create(INDEX_FILE, bytes);
      await target.append(index);
      await target.close();
      written.push({ file: basename(target.path), bytes, sha256: sha256Of(index) });
    }
    for (const file of staged) await file.publish();
  } finally {
    for (const file of staged) await file[Symbol.asyncDispose]();
  }
  // A reader must not find the weights that were here before in the other layout.
  await rm(join(folder, index === undefined ? INDEX_FILE : SINGLE_FILE), { force: true });
  return written;
}

async function createFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new UserError(`cannot create ${folder}: ${whyRefused(folder, cause)}`, { cause });
  }
}

async function fill({ target, header, tensors }: OpenShard, produce: Produce): Promise<string> {
  const hash = createHash("sha256").update(header);
  await target.append(header);
  for (const { name, bytes: expected } of tensors) {
    const bytes = await produce(name);
    if (bytes.length !== expected) throw new Error(`tensor ${name}: expected ${expected} bytes, found ${bytes.length}`);
    await updateHash(hash, bytes);
    await target.append(bytes);
  }
  await target.close();
  return hash.digest("hex");
}
