/** Whether somebody writes to a file that is open. */
import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors.ts";

/** In nanoseconds. */
const SECOND = 1_000_000_000n;

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

/** In UTC, with nanoseconds, by which alone two writings may differ. */
function timeText(nanoseconds: bigint): string {
  const fraction = ((nanoseconds % SECOND) + SECOND) % SECOND;
  const date = new Date(Number((nanoseconds - fraction) / 1_000_000n));
  return date.toISOString().replace(/\d{3}Z$/, () => `${String(fraction).padStart(9, "0")}Z`);
}
