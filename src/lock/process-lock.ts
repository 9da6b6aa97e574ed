import { createHash, randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { explainFailure, tryToUnlink, writeDurably } from "../files/durable-write.ts";
import { currentProcess, lifeOf, type ProcessIdentity } from "../files/process-identity.ts";
import { readAt, readingRegularFile } from "../files/regular-file.ts";
import { removeAbandoned, stagedName } from "../files/staged-name.ts";
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
    writeClaim(path, name);
    const lock = new ProcessLock(path);
    const rival = findClaim(folder, name, path);
    if (rival === undefined) return lock;
    lock[Symbol.dispose]();
    return rival;
  }

  /** Who has the lock `name` of the folder, or may have it; nothing is written, and claims of dead processes stay. */
  static holderOf(folder: string, name: string): Claim | undefined {
    for (const claim of claimsIn(folder, name)) {
      if (!isDead(claim)) return claim;
    }
    return undefined;
  }

  private constructor(path: string) {
    this.#path = path;
  }

  [Symbol.dispose](): void {
    tryToUnlink(this.#path);
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

/** Whole from the first, so that no other process reads half a claim; what killed ones left half is removed. */
function writeClaim(path: string, name: string): void {
  // Longer names would leave no room for what a staged name adds.
  const stem = Buffer.byteLength(name) > 100 ? createHash("sha256").update(name).digest("hex").slice(0, 16) : name;
  const unfinished = `${stem}-claim`;
  removeAbandoned(dirname(path), { isMeant: (file) => file === unfinished });
  explainFailure(path, () => {
    writeDurably(path, JSON.stringify(currentProcess()), stagedName(join(dirname(path), unfinished)));
  });
}

/** A contender's claim that is not known to be dead; those of dead ones are removed on the way, where that is possible. */
function findClaim(folder: string, name: string, own?: string): Claim | undefined {
  for (const claim of claimsIn(folder, name)) {
    if (claim.path === own) continue;
    if (!isDead(claim)) return claim;
    // In a folder of several users it may be another's to remove; it is dead all the same.
    tryToUnlink(claim.path);
  }
  return undefined;
}

function isDead(claim: Claim): boolean {
  return claim.pid !== undefined && lifeOf(claim) === "ended";
}

/** The claims of a lock that are there now, of whoever is dead or alive. */
function* claimsIn(folder: string, name: string): Iterable<Claim> {
  for (const file of readdirSync(folder)) {
    if (!file.startsWith(`${name}-`) || !file.endsWith(".lock")) continue;
    const claim = readClaim(join(folder, file));
    if (claim) yield claim;
  }
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
