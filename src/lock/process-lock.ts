import { randomUUID } from "node:crypto";
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { currentProcess, lifeOf, type ProcessIdentity } from "../files/process-identity.ts";
import { readAt, readingRegularFile } from "../files/regular-file.ts";
import { reasonOf } from "../files/system-error.ts";

/** The file by which a lock is claimed, and the process that does; one that cannot be read tells no process. */
export type Claim = { readonly path: string } & (
  | ProcessIdentity
  | { readonly pid?: undefined; readonly host?: undefined; readonly unreadable: string }
);

const identitySchema: z.ZodType<ProcessIdentity> = z.object({
  // Of 0 and below, `kill` takes groups of processes.
  pid: z.int().min(1).max(0x7fffffff),
  host: z.string(),
  machine: z.string().exactOptional(),
  boot: z.string().exactOptional(),
  namespace: z.string().exactOptional(),
  clock: z.string().exactOptional(),
  started: z.string().exactOptional(),
});

const MAX_CLAIM_BYTES = 4096;
const INCOMPLETE = ".incomplete";

/**
 * A lock between processes that share a folder. Every contender first puts a file of its own into the folder and then
 * looks for others': of two that come at once the later sees the earlier, and since no file name is ever used twice,
 * removing the file of a dead process can never remove that of a living one. Two that come at once may both withdraw.
 */
export class ProcessLock implements Disposable {
  readonly #path: string;

  /** Takes the lock `name` of the folder; a claim of another contender, which may be in this process, when it has it. */
  static tryAcquire(folder: string, name: string): ProcessLock | Claim {
    const holder = findClaim(folder, name);
    if (holder !== undefined) return holder;
    const path = join(folder, `${name}-${process.pid}-${randomUUID()}.lock`);
    writeClaim(path);
    const lock = new ProcessLock(path);
    const rival = findClaim(folder, name, path);
    if (rival === undefined) return lock;
    lock[Symbol.dispose]();
    return rival;
  }

  private constructor(path: string) {
    this.#path = path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true });
  }
}

/** Whether the holder of a lock is known to be running, and not only not known to have ended. */
export function isKnownToRun(claim: Claim): boolean {
  return claim.pid !== undefined && lifeOf(claim) === "running";
}

/** Who holds a lock and what to do about it, to be put after "is in use by". */
export function holderInWords(claim: Claim): string {
  if (claim.pid === undefined) {
    return `a process that cannot be told, since ${claim.path} ${claim.unreadable}; if evomerge does not run there, delete that file`;
  }
  const process = `process ${claim.pid} on ${claim.host}`;
  return isKnownToRun(claim)
    ? `${process}; wait for it or stop it`
    : `${process}, which cannot be seen from here; if it has ended, delete ${claim.path}`;
}

/** Renamed into place complete, and on the disk, so that no other process reads half a claim, whatever stops this one. */
function writeClaim(path: string): void {
  const descriptor = openSync(path + INCOMPLETE, "wx");
  try {
    writeFileSync(descriptor, JSON.stringify(currentProcess()));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(path + INCOMPLETE, path);
}

/** A contender's claim that is not known to be dead; those of dead ones are removed on the way. */
function findClaim(folder: string, name: string, own?: string): Claim | undefined {
  for (const file of readdirSync(folder)) {
    const path = join(folder, file);
    const isClaim = file.endsWith(".lock");
    if (!file.startsWith(`${name}-`) || !(isClaim || file.endsWith(`.lock${INCOMPLETE}`)) || path === own) continue;
    const claim = readClaim(path);
    if (claim?.pid !== undefined && lifeOf(claim) === "ended") rmSync(path, { force: true });
    else if (claim !== undefined && isClaim) return claim;
  }
  return undefined;
}

/** Undefined when the file is gone, and the lock was given back. */
function readClaim(path: string): Claim | undefined {
  try {
    const text = readingRegularFile(path, (descriptor) => readAt(descriptor, 0, MAX_CLAIM_BYTES)).toString("utf8");
    return { ...identitySchema.parse(JSON.parse(text)), path };
  } catch (error) {
    if (error instanceof Error && "code" in error) {
      return error.code === "ENOENT" ? undefined : { path, unreadable: `cannot be read (${reasonOf(error)})` };
    }
    return { path, unreadable: "names none" };
  }
}
