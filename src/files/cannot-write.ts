import { accessSync, constants as fsConstants, statfsSync } from "node:fs";
import { constants } from "node:os";
import { dirname } from "node:path";
import { UserError } from "../errors.ts";
import { reasonOf } from "./system-error.ts";

const { ENOSPC, EDQUOT, EROFS } = constants.errno;

/** What a person does about a disk that takes nothing more, by the number of the failure: Node has no name for that of quotas. */
const remedies: ReadonlyMap<number, string> = new Map([
  [-ENOSPC, "make room there and try again"],
  [-EDQUOT, "remove files of yours there, or ask for a larger quota, and try again"],
  [-EROFS, "choose a place that can be written to"],
]);

/** That a file or folder could not be written and why, what its disk has free where that is full, and what to do about it. */
export function cannotWrite(path: string, cause: unknown, neededBytes?: number): UserError {
  return new UserError(`cannot write ${path}: ${whyRefused(path, cause, neededBytes)}`, { cause });
}

/** The words for a failed system call about a path, and what to do where its disk is to blame. */
export function whyRefused(path: string, told: unknown, neededBytes?: number): string {
  const cause = isMisnamed(told) ? (whyNotWritable(path) ?? told) : told;
  const errno = cause instanceof Error && "errno" in cause ? Number(cause.errno) : 0;
  const room = errno === -ENOSPC ? roomAt(path, neededBytes) : undefined;
  const remedy = remedies.get(errno);
  return `${reasonOf(cause)}${room === undefined ? "" : ` (${room})`}${remedy === undefined ? "" : `; ${remedy}`}`;
}

/** Making a folder with those around it, Node tells of a read-only disk that a folder is missing, which it was to make. */
function isMisnamed(cause: unknown): boolean {
  return (
    cause instanceof Error &&
    "syscall" in cause &&
    cause.syscall === "mkdir" &&
    "code" in cause &&
    cause.code === "ENOENT"
  );
}

/** What writing to the folder meets, or to the nearest around it that is there. */
function whyNotWritable(path: string): unknown {
  try {
    accessSync(path, fsConstants.W_OK);
    return undefined;
  } catch (cause) {
    const isThere = (cause as NodeJS.ErrnoException).code !== "ENOENT";
    return isThere || dirname(path) === path ? cause : whyNotWritable(dirname(path));
  }
}

function roomAt(path: string, neededBytes: number | undefined): string | undefined {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(path);
    if (files > 0 && ffree === 0) return "it has as many files as it can have";
    const free = `${(bavail * bsize).toLocaleString("en-US")} bytes are free`;
    return neededBytes === undefined ? free : `${neededBytes.toLocaleString("en-US")} bytes are needed, ${free}`;
  } catch {
    // What was to be written, or its folder, is not there.
    return dirname(path) === path ? undefined : roomAt(dirname(path), neededBytes);
  }
}
