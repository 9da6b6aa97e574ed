import { open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname } from "node:path";
import { cannotWrite } from "./cannot-write.ts";
import { removeAbandoned, stagedName } from "./staged-name.ts";

/** Replaces the file at `path` in one step: readers and crashes see the old content or the new, never a part. */
export async function writeFileAtomic(path: string, data: string | Uint8Array): Promise<void> {
  await using file = await StagedFile.create(path, Buffer.byteLength(data));
  await file.append(data);
  await file.close();
  await file.publish();
}

/**
 * A file written under a temporary name beside `path`, then renamed to it; disposing of it before that removes it. What
 * killed processes left beside it is removed first.
 */
export class StagedFile implements AsyncDisposable {
  readonly path: string;
  readonly #temporaryPath: string;
  readonly #handle: FileHandle;
  readonly #bytes: number;

  /** `bytes` is the expected size, told to the user when the disk is full. */
  static async create(path: string, bytes: number): Promise<StagedFile> {
    removeAbandoned(dirname(path));
    const temporaryPath = stagedName(path);
    try {
      return new StagedFile(path, temporaryPath, await open(temporaryPath, "wx+"), bytes);
    } catch (cause) {
      throw cannotWrite(path, cause, bytes);
    }
  }

  private constructor(path: string, temporaryPath: string, handle: FileHandle, bytes: number) {
    this.path = path;
    this.#temporaryPath = temporaryPath;
    this.#handle = handle;
    this.#bytes = bytes;
  }

  /** The open file, for whoever writes to places of it, or reads what was written. */
  get descriptor(): number {
    return this.#handle.fd;
  }

  /** Does what writes to the file in another way; what the file system refuses becomes a UserError, as of `append`. */
  writing<T>(write: () => Promise<T>): Promise<T> {
    return this.#attempt(write);
  }

  append(data: string | Uint8Array): Promise<void> {
    return this.#attempt(() => this.#handle.appendFile(data));
  }

  /** Brings the bytes that were written so far to the disk, while others may be written; what the system refuses is thrown as it is. */
  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  /** Brings all bytes to the disk. */
  close(): Promise<void> {
    return this.#attempt(async () => {
      await this.#handle.sync();
      await this.#handle.close();
    });
  }

  /** Gives the closed file its name, durably. */
  publish(): Promise<void> {
    return this.#attempt(async () => {
      await rename(this.#temporaryPath, this.path);
      await syncFolder(dirname(this.path));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#handle.close();
    await rm(this.#temporaryPath, { force: true });
  }

  /** Removes the temporary file first, so that the free space in the error is what another try would find. */
  async #attempt<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write();
    } catch (cause) {
      if (!(cause instanceof Error && "code" in cause)) throw cause;
      await this[Symbol.asyncDispose]();
      throw cannotWrite(this.path, cause, this.#bytes);
    }
  }
}

/** Brings the names in a folder to the disk. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // Windows cannot open a folder, and its renames are journaled
  const handle = await open(folder);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
