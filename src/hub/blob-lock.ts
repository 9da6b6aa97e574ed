import { stat } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { UserError } from "../errors.ts";
import { type Claim, ProcessLock } from "../lock/process-lock.ts";
import { partialPath } from "./cache.ts";

const POLL_MS = 100;
/** Whether a process on another machine is alive can only be seen by what it writes. */
const LONGEST_SILENCE_MS = 600_000;

/**
 * The right to write a blob: waits for whoever is fetching it, in this process or another, until it is done or dead. A
 * UserError when a holder on another machine has written nothing for ten minutes.
 */
export async function lockBlob(blob: string, signal?: AbortSignal): Promise<ProcessLock> {
  const since = Date.now();
  for (;;) {
    const lock = ProcessLock.tryAcquire(dirname(blob), basename(blob));
    if (lock instanceof ProcessLock) return lock;
    if (lock.host !== hostname()) await refuseSilence(lock, blob, since);
    await sleep(POLL_MS * (0.5 + Math.random()), undefined, signal ? { signal } : {});
  }
}

async function refuseSilence({ pid, host, path }: Claim, blob: string, since: number): Promise<void> {
  const written = await stat(partialPath(blob)).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
  if (Date.now() - Math.max(since, written) > LONGEST_SILENCE_MS)
    throw new UserError(
      `${blob} is being fetched by process ${pid} on ${host}, which has written nothing for 10 minutes; ` +
        `if it has ended, delete ${path}`,
    );
}
