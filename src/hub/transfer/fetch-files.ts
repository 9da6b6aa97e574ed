import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import pLimit from "p-limit";
import { reasonOf } from "../../files/system-error.ts";
import { UserError } from "../../errors.ts";
import { lockBlob } from "../cache/blob-lock.ts";
import { blobPath, hasSize, isInSnapshot, snapshotFolder } from "../cache/cache.ts";
import { download } from "./download.ts";
import type { Hub } from "../api/hub.ts";
import { linkBlob } from "../cache/link-blob.ts";
import { rememberListing } from "../cache/listing.ts";
import type { Repository, RepositoryFile } from "../api/snapshot.ts";

const PARALLEL_FILES = 8;

/** How far a fetch is; what was in the cache before counts as done. */
export interface FetchProgress {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneFiles: number;
  readonly files: number;
}

/** Who is told how far a fetch is, with every piece that arrives, and what stops it. */
export interface FetchOptions {
  readonly onProgress?: ((progress: FetchProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Brings files of a repository into the cache and returns the folder where they are, under their own names. What is there
 * is not fetched again, be it from us or from Python; what another process is fetching is waited for. Each file is checked
 * by its digest before it appears. A UserError explains what cannot be had; what came until then stays for the next try.
 */
export async function fetchFiles(
  hub: Hub,
  repository: Repository,
  files: readonly RepositoryFile[],
  { onProgress, signal }: FetchOptions = {},
): Promise<string> {
  signal?.throwIfAborted();
  const folder = snapshotFolder(hub, repository);
  const present = await Promise.all(files.map((file) => isInSnapshot(hub, repository, file)));
  const missing = files.filter((_, i) => !present[i]);
  if (hub.offline) refuseMissing(hub, repository, missing);
  else if (repository.source === "hub") await remember(hub, repository);
  const progress = new Tally(files, missing, onProgress);
  await together(missing, signal, (file, signal) => fetchFile(hub, repository, file, progress, signal));
  return folder;
}

function refuseMissing({ cache }: Hub, { name, commit }: Repository, [missing]: readonly RepositoryFile[]): void {
  if (missing === undefined) return;
  throw new UserError(
    `${missing.path} of ${name}@${commit} is not in ${cache}, and HF_HUB_OFFLINE is set; ` +
      "unset it, or run evomerge fetch where there is a network",
  );
}

/** A cache that cannot be written to serves what it has. */
async function remember(hub: Hub, repository: Repository & { readonly source: "hub" }): Promise<void> {
  try {
    await rememberListing(hub, repository);
  } catch (error) {
    if (!(error instanceof UserError) && !(error instanceof Error && "errno" in error)) throw error;
  }
}

/** Works on some files at a time; the first failure stops the others and is thrown when they have ended. */
async function together(
  files: readonly RepositoryFile[],
  signal: AbortSignal | undefined,
  work: (file: RepositoryFile, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const stop = signal ? AbortSignal.any([signal, failed.signal]) : failed.signal;
  const limit = pLimit(PARALLEL_FILES);
  const one = async (file: RepositoryFile): Promise<void> => {
    try {
      stop.throwIfAborted();
      await work(file, stop);
    } catch (error) {
      failed.abort(error);
    }
  };
  await limit.map(files, one);
  stop.throwIfAborted();
}

async function fetchFile(
  hub: Hub,
  repository: Repository,
  file: RepositoryFile,
  progress: Tally,
  signal: AbortSignal,
): Promise<void> {
  const blob = blobPath(hub, repository, file);
  using _ = await enterCache(blob, signal);
  if (await hasSize(blob, file.bytes)) progress.add(file.bytes);
  else await download(hub, blob, { snapshot: repository, file, onBytes: (bytes) => progress.add(bytes), signal });
  await linkBlob(blob, snapshotFolder(hub, repository), file.path);
  progress.endFile();
}

/** Locks the blob in its folder; most who cannot write to their cache learn it here. */
async function enterCache(blob: string, signal: AbortSignal): Promise<Disposable> {
  const folder = dirname(blob);
  try {
    await mkdir(folder, { recursive: true });
    return await lockBlob(blob, signal);
  } catch (cause) {
    // A lock that could not be written names a file that nobody knows.
    const refused = cause instanceof UserError ? cause.cause : cause;
    if (!(refused instanceof Error && "errno" in refused)) throw cause;
    const reason = reasonOf(refused);
    throw new UserError(`cannot write to the cache ${folder}: ${reason}; set HF_HUB_CACHE to another folder`, {
      cause,
    });
  }
}

/** Counts what is done. */
class Tally {
  readonly #onProgress: FetchOptions["onProgress"];
  readonly #totalBytes: number;
  readonly #files: number;
  #doneBytes: number;
  #doneFiles: number;

  constructor(
    files: readonly RepositoryFile[],
    missing: readonly RepositoryFile[],
    onProgress: FetchOptions["onProgress"],
  ) {
    this.#onProgress = onProgress;
    this.#totalBytes = bytesOf(files);
    this.#files = files.length;
    this.#doneBytes = this.#totalBytes - bytesOf(missing);
    this.#doneFiles = files.length - missing.length;
    this.add(0);
  }

  add(bytes: number): void {
    this.#doneBytes += bytes;
    this.#onProgress?.({
      doneBytes: this.#doneBytes,
      totalBytes: this.#totalBytes,
      doneFiles: this.#doneFiles,
      files: this.#files,
    });
  }

  endFile(): void {
    this.#doneFiles++;
    this.add(0);
  }
}

function bytesOf(files: readonly RepositoryFile[]): number {
  return files.reduce((sum, { bytes }) => sum + bytes, 0);
}
