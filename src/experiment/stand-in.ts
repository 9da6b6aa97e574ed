/** Folders that stand for models of the Hub whose weights are not here. */
import { mkdir, symlink, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Header, LENGTH_BYTES } from "../checkpoint/safetensors-header.ts";
import { isTorchName } from "../checkpoint/weight-files.ts";
import { UserError } from "../errors.ts";
import type { Hub } from "../hub/api/hub.ts";
import { isInSnapshot, snapshotFolder } from "../hub/cache/cache.ts";
import type { Repository, RepositoryFile } from "../hub/cache/repository.ts";
import { filesOnHub, headerOfHubFile } from "./parent-files.ts";

interface StandInOptions {
  /** Is made; whatever is in it is the caller's to remove. */
  readonly folder: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * A folder with the small files of a model, and with files of weights that have their headers and behind these nothing but holes,
 * which take no room on a disk: whoever reads headers alone meets no difference. That of the cache where all is there.
 */
export async function standIn(hub: Hub, repository: Repository, { folder, signal }: StandInOptions): Promise<string> {
  const parent = await filesOnHub(hub, repository, { signal });
  if (parent.isHere) return parent.folder;
  for (const file of parent.files) {
    const path = join(folder, file.path);
    await mkdir(dirname(path), { recursive: true });
    if (await isInSnapshot(hub, repository, file))
      await symlink(join(snapshotFolder(hub, repository), file.path), path);
    else await writeHoles(path, await headerFor(hub, repository, file, signal));
  }
  return folder;
}

async function headerFor(
  hub: Hub,
  repository: Repository,
  file: RepositoryFile,
  signal: AbortSignal | undefined,
): Promise<Header> {
  const header = isTorchName(file.path) ? undefined : await headerOfHubFile(hub, repository, file, signal);
  if (header) return header;
  throw new UserError(
    `${repository.name}/${file.path}: expected the header of safetensors, found none that can be had without the file; bring the file with evomerge fetch`,
  );
}

/** A file of safetensors with these tensors, one behind the other, and none of their bytes. */
async function writeHoles(path: string, { tensors, others }: Header): Promise<void> {
  let end = 0;
  const entries = [...tensors, ...others].map(({ name, dtype, shape, bytes }) => {
    const start = end;
    end += bytes;
    return [name, { dtype: dtype.toUpperCase(), shape, data_offsets: [start, end] }] as const;
  });
  const header = Buffer.from(JSON.stringify(Object.fromEntries(entries)));
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeBigUInt64LE(BigInt(header.length));
  await writeFile(path, Buffer.concat([length, header]), { flag: "wx" });
  await truncate(path, LENGTH_BYTES + header.length + end);
}
