import type { Worker } from "bullmq";
import { once } from "node:events";
import { hostname } from "node:os";
import { UserError } from "../errors.ts";
import type { Workspace } from "../experiment/workspace.ts";
import { printableLine } from "../files/printable.ts";
import { answerJob } from "./answer-job.ts";
import type { WorkerAnswer } from "./answers.ts";
import { callKey } from "./job-board.ts";
import { type PostedJob, postedJob } from "./jobs.ts";
import { openRedis, queueName, type QueuePlace } from "./open-redis.ts";

/** So often it is asked whether a run still waits for what is being done. */
const ASK_MS = 2000;
/** A worker of which Redis hears nothing for so long is lost, and its job another's. */
const LOCK_MS = 30_000;

export interface ServeOptions {
  /** By which runs speak of it; process and machine unless given. */
  readonly name?: string | undefined;
  /** Ends the worker. */
  readonly signal?: AbortSignal | undefined;
  readonly lockMs?: number | undefined;
  readonly onNotice?: ((text: string) => void) | undefined;
}

/**
 * Does the jobs of runs with this workspace, until the signal aborts; returns how many it has done. A UserError, by which it ends,
 * says what it was refused for, or what it failed at: then the same would become of any other job.
 */
export async function serveJobs(
  workspace: Workspace,
  place: QueuePlace,
  { name = `${process.pid} on ${hostname()}`, signal, lockMs = LOCK_MS, onNotice }: ServeOptions = {},
): Promise<number> {
  const { bullmq, redis } = await openRedis(place, { maxRetriesPerRequest: null });
  const ends = new AbortController();
  let [done, fault] = [0, undefined as unknown];
  const end = (reason?: unknown): void => {
    fault ??= reason;
    ends.abort();
  };
  const stop = (): void => end();
  signal?.addEventListener("abort", stop);
  const isWaitedFor = async (call: string): Promise<boolean> => (await redis.exists(callKey(call))) === 1;
  const answer = async (data: unknown): Promise<WorkerAnswer> => {
    const left = { kind: "left", worker: name } as const;
    const failed = (error: unknown) =>
      ({
        kind: "failed",
        worker: name,
        why: error instanceof Error ? error.message.slice(0, 2000) : "unknown",
      }) as const;
    let posted: PostedJob;
    try {
      posted = postedJob(data);
    } catch (error) {
      // It is no run's: whoever put it there, nothing is wrong here.
      const refusal = failed(error);
      onNotice?.(`${place.redis.shown}: ${printableLine(refusal.why)}; it was left out`);
      return refusal;
    }
    try {
      const { call, job } = posted;
      if (ends.signal.aborted || !(await isWaitedFor(call))) return left;
      const found = await whileWaitedFor(
        () => isWaitedFor(call),
        ends.signal,
        (inTime) => answerJob(workspace, job, { name, signal: inTime }),
      );
      if (found?.kind === "refused") end(new UserError(`this worker was refused: ${found.why}`));
      if (found?.kind === "numbers") done += 1;
      return found ?? left;
    } catch (error) {
      end(error);
      return failed(error);
    }
  };
  const worker: Worker = new bullmq.Worker(queueName(place), (job) => answer(job.data), {
    connection: { ...place.redis.connection, maxRetriesPerRequest: null },
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
  });
  worker.on("error", ({ message }) => onNotice?.(`${place.redis.shown}: ${printableLine(message)}; trying again`));
  if (signal?.aborted) end();
  if (!ends.signal.aborted) await once(ends.signal, "abort");
  signal?.removeEventListener("abort", stop);
  // It waits for the answer that is under way, which tells the run why this worker ends.
  await worker.close();
  redis.disconnect();
  if (fault !== undefined) throw fault;
  return done;
}

/** Works as long as somebody waits for it; undefined where that ended. */
async function whileWaitedFor<T>(
  isWaitedFor: () => Promise<boolean>,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const nobodyWaits = new AbortController();
  const asking = setInterval(() => {
    void isWaitedFor().then(
      (waits) => {
        if (!waits) nobodyWaits.abort();
      },
      // Redis is away, which says nothing of the run.
      () => {},
    );
  }, ASK_MS);
  const inTime = AbortSignal.any([signal, nobodyWaits.signal]);
  try {
    return await work(inTime);
  } catch (error) {
    if (inTime.aborted) return undefined;
    throw error;
  } finally {
    clearInterval(asking);
  }
}
