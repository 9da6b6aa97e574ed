import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { UserError } from "../errors.ts";
import { currentProcess, isRunning, type ProcessIdentity } from "./process-identity.ts";

const identitySchema: z.ZodType<ProcessIdentity> = z.object({
  pid: z.int(),
  host: z.string(),
  boot: z.string().exactOptional(),
  started: z.string().exactOptional(),
});

/**
 * The right to write to a run's folder, held by one process at a time. Every process that wants it first puts a file of
 * its own into the folder and then looks for others': of two that come at once the later sees the earlier, and since
 * no file name is ever used twice, removing the file of a dead process can never remove that of a living one.
 */
export class WriterLock implements Disposable {
  readonly #path: string;

  /** Takes the lock; a UserError when another process, or this one, holds it. */
  static acquire(folder: string): WriterLock {
    const path = join(folder, `writer-${process.pid}-${randomUUID()}.lock`);
    // Renamed into place complete, so that no other process reads half a file.
    writeFileSync(`${path}.incomplete`, JSON.stringify(currentProcess()), { flag: "wx" });
    renameSync(`${path}.incomplete`, path);
    const lock = new WriterLock(path);
    try {
      for (const other of locksIn(folder)) if (other !== path) removeIfStale(other, folder);
    } catch (error) {
      lock[Symbol.dispose]();
      throw error;
    }
    return lock;
  }

  private constructor(path: string) {
    this.#path = path;
  }

  [Symbol.dispose](): void {
    rmSync(this.#path, { force: true });
  }
}

function locksIn(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => name.startsWith("writer-") && name.endsWith(".lock"))
    .map((name) => join(folder, name));
}

function removeIfStale(path: string, folder: string): void {
  const holder = readHolder(path);
  if (holder !== undefined && isRunning(holder)) {
    const remedy = holder.host === hostname() ? "wait for it or stop it" : `if it has ended, delete ${path}`;
    throw new UserError(`${folder} is in use by process ${holder.pid} on ${holder.host}; ${remedy}`);
  }
  rmSync(path, { force: true });
}

/** Undefined when the file is gone, or was left empty by a loss of power: its process has ended either way. */
function readHolder(path: string): ProcessIdentity | undefined {
  try {
    return identitySchema.safeParse(JSON.parse(readFileSync(path, "utf8"))).data;
  } catch {
    return undefined;
  }
}
