/** Whether somebody writes to a file that is open. */
import type { FileHandle } from "node:fs/promises";
import { UserError } from "../errors.ts";

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
  throw new UserError(
    `${path}: it was written to while it was read (${bytes} bytes before, ${now.bytes} now); begin again once nothing writes to it`,
  );
}
