/** Whether somebody writes to a file that is open. */
import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors.ts";

/** In nanoseconds. */
const SECOND = 1_000_000_000n;

/** Times of files are as coarse as this in milliseconds on some systems: two changes may be at one time. */
const COARSE_MS = 2000;

/** An open file as it is now. One that another takes the place of stays as it was for whoever has it open. */
export interface FileVersion {
  readonly path: string;
  readonly handle: FileHandle;
  readonly bytes: bigint;
  /** When it was last written to, in nanoseconds. */
  readonly writtenAt: bigint;
}

export async function versionOf(handle: FileHandle, path: string): Promise<FileVersion> {
  const { size, mtimeNs } = await handle.stat({ bigint: true });
  return { path, handle, bytes: size, writtenAt: mtimeNs };
}

/** A UserError where a file is not of the size that it had, or was written to since. */
export async function checkVersion({ path, handle, bytes, writtenAt }: FileVersion): Promise<void> {
  const now = await versionOf(handle, path);
  if (now.bytes === bytes && now.writtenAt === writtenAt) return;
  const differing =
    now.bytes === bytes
      ? `last at ${timeText(writtenAt)} before, at ${timeText(now.writtenAt)} now`
      : `${bytes} bytes before, ${now.bytes} now`;
  throw new UserError(
    `${path}: it was written to while it was read (${differing}); begin again once nothing writes to it`,
  );
}

/**
 * What a file has other than before once anything in it, or about it, has changed; undefined while its last change is so near that
 * another might be at the same time.
 */
export async function stampOf(handle: FileHandle): Promise<string | undefined> {
  const { size, mtimeNs, ctimeNs, ctimeMs } = await handle.stat({ bigint: true });
  return Date.now() - Number(ctimeMs) < COARSE_MS ? undefined : [size, mtimeNs, ctimeNs].join();
}

/** The stamp of what several files make. */
export async function joinedStamps(stamps: readonly Promise<string | undefined>[]): Promise<string | undefined> {
  const all = await Promise.all(stamps);
  return all.includes(undefined) ? undefined : all.join("; ");
}

/** In UTC, with nanoseconds, by which alone two writings may differ. */
function timeText(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % SECOND) + SECOND) % SECOND;
  const date = new Date(Number((nanoseconds - fraction) / 1_000_000n));
  return date.toISOString().replace(/\d{3}Z$/, () => `${String(fraction).padStart(9, "0")}Z`);
}
