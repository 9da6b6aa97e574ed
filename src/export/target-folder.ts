import { createHash } from "node:crypto";
import type { Stats } from "node:fs";
import { lstat, mkdir, readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, resolve, sep } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.ts";
import { cannotWrite } from "../files/cannot-write.ts";
import { holderInWords, ProcessLock } from "../lock/process-lock.ts";

/** Several that come at once all withdraw; one that goes on longer is at work. */
const PATIENCE_MS = 1000;

/** The folder that an export is to become. */
export interface TargetFolder {
  /** As the user wrote it, but absolute: for messages. */
  readonly shown: string;
  /** Of all spellings of one folder the same: links are followed. */
  readonly path: string;
  /** How the hidden names begin of what an export puts beside the target. */
  readonly prefix: string;
  /** How the names begin of what it leaves there for a person to find. */
  readonly keptPrefix: string;
}

/** Finds the folder that a path stands for, be it there yet or not; a UserError where no other could take its place. */
export async function findTarget(to: string): Promise<TargetFolder> {
  const shown = resolve(to);
  try {
    const path = await withoutLinks(shown);
    await checkMovable(path);
    const name = basename(path);
    // Cut, because a name may be as long as a file system allows; so the digest.
    const stem = Array.from(name).slice(0, 40).join("");
    const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
    return {
      shown,
      path,
      prefix: `.${stem}.evomerge-${digest}`,
      keptPrefix: join(dirname(path), `${stem}.kept`),
    };
  } catch (cause) {
    throw cannotWrite(shown, cause);
  }
}

/** Finds the folder as `findTarget` does, and makes the folders that it is in. */
export async function openTarget(to: string): Promise<TargetFolder> {
  const target = await findTarget(to);
  try {
    await mkdir(dirname(target.path), { recursive: true });
    return target;
  } catch (cause) {
    throw cannotWrite(target.shown, cause);
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

function takeLock(folder: string, name: string, shown: string): ReturnType<typeof ProcessLock.tryAcquire> {
  try {
    return ProcessLock.tryAcquire(folder, name);
  } catch (cause) {
    throw cannotWrite(shown, cause);
  }
}

/** Whether there is anything at a path, be it a link that leads nowhere. */
export async function isThere(path: string): Promise<boolean> {
  return (await statusOf(path)) !== undefined;
}

async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/** A folder that something is mounted on cannot be renamed, which would be noticed only once the model is written. */
async function checkMovable(path: string): Promise<void> {
  const [own, around] = [await statusOf(path), await statusOf(dirname(path))];
  if (own === undefined || around === undefined || own.dev === around.dev) return;
  throw new UserError("a file system is mounted there, whose place no folder can take; export to a folder in it");
}

/** The real path of what may not be there yet, be it behind a link that leads to nothing. */
async function withoutLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT" || dirname(path) === path) throw error;
  }
  const folder = await withoutLinks(dirname(path));
  // Behind what is not there are no links, so that none is followed more often than the system would, unless a way leads
  // out of there again.
  if (basename(path) === "..") {
    throw new UserError(`a link leads to ${path}, but ${dirname(path)} is not there; export to another folder`);
  }
  const link = await readlink(join(folder, basename(path))).catch(() => undefined);
  if (link === undefined) return join(folder, basename(path));
  // Not joined, which would take `..` for the folder in the text before it, where the system goes above what that links to.
  return withoutLinks(isAbsolute(link) ? link : `${folder}${sep}${link}`);
}
