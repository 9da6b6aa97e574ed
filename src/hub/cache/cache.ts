/** The layout of the cache, that of Python's huggingface_hub: `blobs` by content, `refs` to commits, `snapshots` of links. */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import type { Hub } from "../api/hub.ts";
import type { RepositoryFile, Snapshot } from "../api/snapshot.ts";

type Place = Pick<Snapshot, "type" | "name">;

/** Such as `models--org--name` in the cache. */
export function repositoryFolder({ cache }: Hub, { type, name }: Place): string {
  return join(cache, `${type}s--${name.replaceAll("/", "--")}`);
}

/** Where the files of one commit are found under their own names. */
export function snapshotFolder(hub: Hub, snapshot: Place & Pick<Snapshot, "commit">): string {
  return join(repositoryFolder(hub, snapshot), "snapshots", snapshot.commit);
}

/** The file that says which commit a branch or tag was at. */
export function refPath(hub: Hub, place: Place, revision: string): string {
  return join(repositoryFolder(hub, place), "refs", revision);
}

/** Where the content of a file is kept: under its sha256 if it is in LFS, else under its sha1 as a blob of git. */
export function blobPath(hub: Hub, place: Place, file: RepositoryFile): string {
  const digest = file.sha256 ?? file.blob;
  if (digest === undefined) throw new Error(`${place.name}: the digest of ${file.path} is not known`);
  return join(repositoryFolder(hub, place), "blobs", digest);
}

/** The part of a blob that has been fetched; Python's partial files have another name. */
export function partialPath(blob: string): string {
  return `${blob}.evomerge.incomplete`;
}

/** How many bytes of the file need not be fetched. */
export async function presentBytes(hub: Hub, snapshot: Snapshot, file: RepositoryFile): Promise<number> {
  if (await isInSnapshot(hub, snapshot, file)) return file.bytes;
  const blob = blobPath(hub, snapshot, file);
  if (await hasSize(blob, file.bytes)) return file.bytes;
  const partial = await sizeOf(partialPath(blob));
  return partial === undefined || partial > file.bytes ? 0 : partial;
}

/** Whether the file can be read in the snapshot. */
export function isInSnapshot(hub: Hub, snapshot: Snapshot, file: RepositoryFile): Promise<boolean> {
  return hasSize(join(snapshotFolder(hub, snapshot), file.path), file.bytes);
}

/** Whether there is a file of that size, be it behind links. */
export async function hasSize(path: string, bytes: number): Promise<boolean> {
  return (await sizeOf(path)) === bytes;
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? found.size : undefined;
  } catch {
    return undefined;
  }
}
