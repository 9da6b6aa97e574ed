import type { Worker } from "bullmq";
import { once } from "node:events";
import { hostname } from "node:os";
import { OutOfMemory, UserError } from "../errors.ts";
import type { Workspace } from "../experiment/workspace.ts";
import { printableLine } from "../files/printable.ts";
import { answerJob } from "./answer-job.ts";
import { failedAnswer, type WorkerAnswer } from "./answers.ts";
import { callKey } from "./job-board.ts";
import { type PostedJob, postedJob } from "./jobs.ts";
import { openRedis, queueName, type QueuePlace } from "./open-redis.ts";
import { stillScores } from "./still-scores.ts";

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
 * says what it was refused for, or what it failed at where the same would become of any other job.
 */
export async function serveJobs(
  workspace: Workspace,
  place: QueuePlace,
  { name = `${process.pid} on ${hostname()}`, signal, lockMs = LOCK_MS, onNotice }: ServeOptions = {},
): Promise<number> {
  const { bullmq, redis } = await openRedis(place, { maxRetriesPerRequest: null });
  const { shown, connection } = place.redis;
  const notice = (text: string): void => onNotice?.(`${shown}: ${printableLine(text)}`);
  const isWaitedFor = async (call: string): Promise<boolean> => (await redis.exists(callKey(call))) === 1;
  const serving = new Serving(workspace, { name, isWaitedFor, notice });
  const worker: Worker = new bullmq.Worker(queueName(place), ({ data }) => serving.answer(data), {
    connection: { ...connection, maxRetriesPerRequest: null },
    lockDuration: lockMs,
    stalledInterval: lockMs / 2,
  });
  worker.on("error", ({ message }) => notice(`${message}; trying again`));
  const stop = (): void => serving.end();
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  await serving.over;
  signal?.removeEventListener("abort", stop);
  // It waits for the answer that is under way, which tells the run why this worker ends.
  await worker.close();
  redis.disconnect();
  return serving.done();
}

interface ServingOptions {
  readonly name: string;
  readonly isWaitedFor: (call: string) => Promise<boolean>;
  readonly notice: (text: string) => void;
}

/** A worker, until it ends. */
class Serving {
  readonly #workspace: Workspace;
  readonly #options: ServingOptions;
  readonly #ends = new AbortController();
  #fault: unknown;
  #done = 0;

  constructor(workspace: Workspace, options: ServingOptions) {
    this.#workspace = workspace;
    this.#options = options;
  }

  /** Settled once it does no more. */
  get over(): Promise<unknown> {
    const { signal } = this.#ends;
    return signal.aborted ? Promise.resolve() : once(signal, "abort");
  }

  /** Does no more, for the reason that comes first. */
  end(fault?: unknown): void {
    if (this.#ends.signal.aborted) return;
    this.#fault = fault;
    this.#ends.abort();
  }

  /** Jobs done; throws what it ended by. */
  done(): number {
    if (this.#fault !== undefined) throw this.#fault;
    return this.#done;
  }

  async answer(data: unknown): Promise<WorkerAnswer> {
    let posted: PostedJob;
    try {
      posted = postedJob(data);
    } catch (error) {
      // It is no run's: whoever put it there, nothing is wrong here.
      const failed = failedAnswer(this.#options.name, error);
      this.#options.notice(`${failed.why}; it was left out`);
      return failed;
    }
    try {
      return (await this.#do(posted)) ?? { kind: "left", worker: this.#options.name };
    } catch (error) {
      const failed = failedAnswer(this.#options.name, error);
      if (await this.#isJobsFault(error)) this.#options.notice(`a job failed: ${failed.why}; going on with others`);
      else this.end(error);
      return failed;
    }
  }

  /** Whether other jobs can be done here. One that has no memory for a job leaves it to those who have more. */
  async #isJobsFault(error: unknown): Promise<boolean> {
    return !(error instanceof OutOfMemory) && (await stillScores(this.#workspace, this.#ends.signal));
  }

  /** The answer to a job that a run waits for, as long as it does. */
  async #do({ call, job }: PostedJob): Promise<WorkerAnswer | undefined> {
    const { name, isWaitedFor } = this.#options;
    if (this.#ends.signal.aborted || !(await isWaitedFor(call))) return undefined;
    const found = await whileWaitedFor(
      () => isWaitedFor(call),
      this.#ends.signal,
      (signal) => answerJob(this.#workspace, job, { name, signal }),
    );
    if (found?.kind === "refused") this.end(new UserError(`this worker was refused: ${found.why}`));
    if (found?.kind === "numbers") this.#done += 1;
    return found;
  }
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
