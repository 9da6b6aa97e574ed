import { rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Claim, ProcessLock } from "../lock/process-lock.ts";
import { partialPath } from "./cache.ts";

const POLL_MS = 100;
/**
 * A process on another machine, or one whose number may have passed to another, is taken for dead when it has written
 * nothing for this long: more than any pause between two tries.
 */
const LONGEST_SILENCE_MS = 360_000;

/**
 * The right to write a blob: waits for whoever is fetching it, in this process or another, until it is done or dead.
 * Should a holder that was taken for dead come back, the digest tells whether the two have spoilt each other's bytes.
 */
export async function lockBlob(blob: string, signal?: AbortSignal): Promise<ProcessLock> {
  const since = Date.now();
  for (;;) {
    const lock = ProcessLock.tryAcquire(dirname(blob), basename(blob));
    if (lock instanceof ProcessLock) return lock;
    if (!isKnown(lock) && (await isSilent(blob, since))) await rm(lock.path, { force: true });
    else await sleep(POLL_MS * (0.5 + Math.random()), undefined, signal ? { signal } : {});
  }
}

/** Whether this machine can tell that the holder is alive. */
function isKnown({ host, started }: Claim): boolean {
  return host === hostname() && started !== undefined;
}

async function isSilent(blob: string, since: number): Promise<boolean> {
  const written = await stat(partialPath(blob)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Date.now() - Math.max(since, written) > LONGEST_SILENCE_MS;
}
