import { createHash } from "node:crypto";
import { mkdir, readlink, realpath } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.ts";
import { reasonOf } from "../files/system-error.ts";
import { holderInWords, ProcessLock } from "../lock/process-lock.ts";

/** Several that come at once all withdraw; one that goes on longer is at work. */
const PATIENCE_MS = 1000;

/** The folder that an export is to become. */
export interface TargetFolder {
  /** As the user wrote it, but absolute: for messages. */
  readonly shown: string;
  /** Of all spellings of one folder the same: links are followed. */
  readonly path: string;
  /** How the names begin of what an export puts beside the target. */
  readonly prefix: string;
}

/** Finds the folder that a path stands for, be it there yet or not, and makes the folders that it is in. */
export async function openTarget(to: string): Promise<TargetFolder> {
  const shown = resolve(to);
  try {
    const path = await withoutLinks(shown);
    await mkdir(dirname(path), { recursive: true });
    const name = basename(path);
    // Cut, because a name may be as long as a file system allows; so the digest.
    const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
    return { shown, path, prefix: `.${Array.from(name).slice(0, 40).join("")}.evomerge-${digest}` };
  } catch (cause) {
    throw cannotWrite(shown, cause);
  }
}

/** The right to replace the target, until the lock is disposed of; a UserError when another export has it. */
export async function lockTarget({ shown, path, prefix }: TargetFolder, signal?: AbortSignal): Promise<ProcessLock> {
  for (const start = performance.now(); ;) {
    const lock = takeLock(dirname(path), prefix, shown);
    if (lock instanceof ProcessLock) return lock;
    if (performance.now() - start > PATIENCE_MS) {
      throw new UserError(`${shown} is being exported to by ${holderInWords(lock)}`);
    }
    await sleep(100 * Math.random());
    signal?.throwIfAborted();
  }
}

export function cannotWrite(path: string, cause: unknown): UserError {
  return new UserError(`cannot write ${path}: ${reasonOf(cause)}`, { cause });
}

function takeLock(folder: string, name: string, shown: string): ReturnType<typeof ProcessLock.tryAcquire> {
  try {
    return ProcessLock.tryAcquire(folder, name);
  } catch (cause) {
    throw cannotWrite(shown, cause);
  }
}

/** The real path of what may not be there yet, be it behind a link that leads to nothing. */
async function withoutLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
  }
  const folder = await withoutLinks(dirname(path));
  const link = await readlink(join(folder, basename(path))).catch(() => undefined);
  return link === undefined ? join(folder, basename(path)) : withoutLinks(resolve(folder, link));
}
