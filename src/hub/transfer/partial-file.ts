import { createHash, type Hash } from "node:crypto";
import { constants } from "node:fs";
// oxlint-disable-next-line evomerge/bounded-reads -- to write to, and read in pieces what another process of ours wrote
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import { cannotWrite } from "../../files/cannot-write.ts";
import { UserError } from "../../errors.ts";
import { partialPath } from "../cache/cache.ts";
import type { RepositoryFile } from "../api/snapshot.ts";

const PIECE = 1 << 20;

/** The part of a blob that has been fetched, kept on disk between processes; whoever opens it holds the blob's lock. */
export class PartialFile implements AsyncDisposable {
  readonly path: string;
  readonly #blob: string;
  readonly #file: RepositoryFile;
  readonly #handle: FileHandle;
  #length = 0;
  #hash: Hash;

  /** Takes up what an earlier process left, reading it for the digest. */
  static async open(blob: string, file: RepositoryFile, signal?: AbortSignal): Promise<PartialFile> {
    const path = partialPath(blob);
    const partial = new PartialFile(path, blob, file, await attempt(path, () => openForWriting(path)));
    try {
      await attempt(path, () => partial.#readBack(signal));
      return partial;
    } catch (error) {
      await partial[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(path: string, blob: string, file: RepositoryFile, handle: FileHandle) {
    this.path = path;
    this.#blob = blob;
    this.#file = file;
    this.#handle = handle;
    this.#hash = newHash(file);
  }

  /** Bytes so far. */
  get length(): number {
    return this.#length;
  }

  async append(bytes: Uint8Array): Promise<void> {
    this.#hash.update(bytes);
    await attempt(this.path, () => writeFully(this.#handle, bytes, this.#length));
    this.#length += bytes.length;
  }

  async restart(): Promise<void> {
    await attempt(this.path, () => this.#handle.truncate(0));
    this.#length = 0;
    this.#hash = newHash(this.#file);
  }

  /** Of the bytes so far, in the form by which the Hub names the file. */
  digest(): string {
    return this.#hash.copy().digest("hex");
  }

  /** Gives the complete file its place among the blobs, durably. */
  async publish(): Promise<void> {
    await attempt(this.#blob, async () => {
      await this.#handle.sync();
      await this.#handle.close(); // Windows renames no open file
      await rename(this.path, this.#blob);
    });
  }

  async remove(): Promise<void> {
    await this[Symbol.asyncDispose]();
    await rm(this.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
  }

  async #readBack(signal?: AbortSignal): Promise<void> {
    const status = await this.#handle.stat();
    if (!status.isFile()) throw new UserError(`${this.path} is not a file of the cache; delete it and fetch again`);
    const { size } = status;
    if (size > this.#file.bytes) return this.restart();
    const piece = new Uint8Array(PIECE);
    while (this.#length < size) {
      signal?.throwIfAborted();
      const { bytesRead } = await this.#handle.read(piece, 0, PIECE, this.#length);
      if (bytesRead === 0) throw new Error("became shorter while it was read");
      this.#hash.update(piece.subarray(0, bytesRead));
      this.#length += bytesRead;
    }
  }
}

/** Git names a blob by a digest of its size and content. */
function newHash({ sha256, bytes }: RepositoryFile): Hash {
  return sha256 === undefined ? createHash("sha1").update(`blob ${bytes}\0`) : createHash("sha256");
}

/** A link in place of the file is removed, not followed: it could lead out of the cache. */
async function openForWriting(path: string): Promise<FileHandle> {
  const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
  try {
    return await open(path, flags, 0o644);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ELOOP")) throw error;
    await rm(path);
    return open(path, flags | constants.O_EXCL, 0o644);
  }
}

async function writeFully(handle: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    const { bytesWritten } = await handle.write(bytes, at, bytes.length - at, position + at);
    at += bytesWritten;
  }
}

async function attempt<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (cause) {
    if (cause instanceof UserError || !(cause instanceof Error && "errno" in cause)) throw cause;
    throw cannotWrite(path, cause);
  }
}
