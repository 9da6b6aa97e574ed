import { stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../../errors.ts";
import { holderInWords, isKnownToRun, ProcessLock } from "../../lock/process-lock.ts";
import { partialPath } from "./cache.ts";

const POLL_MS = 100;
/** More than any pause between two tries of a download. */
const LONGEST_SILENCE_MS = 360_000;

/**
 * The right to write a blob: waits for whoever is fetching it, in this process or another, until it is done or dead. A
 * UserError where nothing was written for minutes and it cannot be known whether the holder is alive: that is no proof.
 */
export async function lockBlob(blob: string, signal?: AbortSignal): Promise<ProcessLock> {
  const since = Date.now();
  for (;;) {
    const lock = ProcessLock.tryAcquire(dirname(blob), basename(blob));
    if (lock instanceof ProcessLock) return lock;
    if (!isKnownToRun(lock) && (await isSilent(blob, since))) {
      throw new UserError(`${blob} has been in use, without a byte for minutes, by ${holderInWords(lock)}`);
    }
    await sleep(POLL_MS * (0.5 + Math.random()), undefined, signal ? { signal } : {});
  }
}

async function isSilent(blob: string, since: number): Promise<boolean> {
  const written = await stat(partialPath(blob)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  return Date.now() - Math.max(since, written) > LONGEST_SILENCE_MS;
}
