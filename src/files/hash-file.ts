import type { Hash } from "node:crypto";
import { type FileHandle, lstat } from "node:fs/promises";
import { UserError } from "../errors.ts";
import { openFile } from "./read-file.ts";
import { reasonOf } from "./system-error.ts";

const PIECE_BYTES = 1 << 20;

/** A file's size in bytes, and its digests in hexadecimal. */
export interface HashedFile {
  readonly bytes: number;
  readonly digests: readonly string[];
}

/**
 * Feeds a file to the hashes that `begin` makes for its size. Undefined for what is no regular file, links to one
 * included; a UserError where it cannot be read. An abort of the signal throws its reason.
 */
export async function hashFile(
  path: string,
  begin: (bytes: number) => readonly Hash[],
  signal?: AbortSignal,
): Promise<HashedFile | undefined> {
  try {
    if (!(await lstat(path)).isFile()) return undefined;
    await using file = await openFile(path, "a file of an export");
    const { size } = await file.stat();
    return await feed(file, size, begin(size), signal);
  } catch (cause) {
    signal?.throwIfAborted();
    if (cause instanceof UserError) throw cause;
    throw new UserError(`cannot read ${path}: ${reasonOf(cause)}`, { cause });
  }
}

async function feed(
  file: FileHandle,
  bytes: number,
  hashes: readonly Hash[],
  signal: AbortSignal | undefined,
): Promise<HashedFile> {
  const piece = Buffer.alloc(PIECE_BYTES);
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(piece, 0, PIECE_BYTES);
    if (bytesRead === 0) return { bytes, digests: hashes.map((hash) => hash.digest("hex")) };
    for (const hash of hashes) hash.update(piece.subarray(0, bytesRead));
  }
}
