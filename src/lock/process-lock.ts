import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { currentProcess, isRunning, type ProcessIdentity } from "./process-identity.ts";

/** A process, and the file by which it claims a lock. */
export interface Claim extends ProcessIdentity {
  readonly path: string;
}

const identitySchema: z.ZodType<ProcessIdentity> = z.object({
  pid: z.int(),
  host: z.string(),
  boot: z.string().exactOptional(),
  started: z.string().exactOptional(),
});

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
    // Renamed into place complete, so that no other process reads half a file.
    writeFileSync(`${path}.incomplete`, JSON.stringify(currentProcess()), { flag: "wx" });
    renameSync(`${path}.incomplete`, path);
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

/** A living contender's claim; those of dead ones are removed on the way. */
function findClaim(folder: string, name: string, own?: string): Claim | undefined {
  const paths = readdirSync(folder)
    .filter((file) => file.startsWith(`${name}-`) && file.endsWith(".lock"))
    .map((file) => join(folder, file))
    .filter((path) => path !== own);
  for (const path of paths) {
    const holder = readHolder(path);
    if (holder !== undefined && isRunning(holder)) return { ...holder, path };
    rmSync(path, { force: true });
  }
  return undefined;
}

/** Undefined when the file is gone, or was left empty by a loss of power: its process has ended either way. */
function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return identitySchema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
