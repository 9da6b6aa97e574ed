import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Queue, QueueEvents } from "bullmq";
import type { Redis } from "ioredis";
import { UserError } from "../errors.ts";
import { printableLine } from "../files/printable.ts";
import { type WorkerAnswer, answerOf } from "./answers.ts";
import type { Job, PostedJob } from "./jobs.ts";
import { openRedis, queueName, type QueuePlace } from "./open-redis.ts";
import type { Dealer, DealOptions } from "./remote-scorer.ts";

/** Unless an event comes first, so often it is looked at how jobs stand; events only make it sooner. */
const LOOK_MS = 1000;
/** A call of which nothing is heard for so long is over, and its jobs with it. */
const CALL_SECONDS = 15;
/** Workers that begin, and a Redis that begins anew, are waited for so long without a word. */
const ALONE_MS = 5000;
/** How often a job may fail before it is at fault. */
const MOST_FAILURES = 3;
/** An answer that nobody has fetched for so long is of a run that has ended. */
const KEPT_SECONDS = 600;

/** A job as it stands. */
interface Pending {
  readonly index: number;
  attempt: number;
  failures: number;
}

/**
 * The jobs of one run in a queue of BullMQ. What Redis holds is asked for and never believed: a job that is missing, since Redis
 * began anew, is posted again; so is one whose answer is none, or whose worker was lost. Every posting has an id of its own, so
 * that a late answer is to nothing that is asked.
 */
export class JobBoard implements Dealer, AsyncDisposable {
  readonly #redis: Redis;
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #place: QueuePlace;
  readonly #onNotice: (text: string) => void;
  readonly #run = randomUUID();
  readonly #said = new Set<string>();
  /** Those who wait for a job to be done. */
  readonly #sleepers = new Set<() => void>();
  #calls = 0;
  #workers = 0;
  /** When there was a worker, or the run began. */
  #someoneAt = performance.now();

  /** A UserError where Redis cannot be reached. */
  static async open(place: QueuePlace, onNotice: (text: string) => void): Promise<JobBoard> {
    const { bullmq, redis } = await openRedis(place, { enableOfflineQueue: false, maxRetriesPerRequest: 0 });
    const name = queueName(place);
    const queue = new bullmq.Queue(name, { connection: redis });
    const events = new bullmq.QueueEvents(name, {
      connection: { ...place.redis.connection, maxRetriesPerRequest: null },
    });
    return new JobBoard({ redis, queue, events, place, onNotice });
  }

  private constructor(parts: {
    readonly redis: Redis;
    readonly queue: Queue;
    readonly events: QueueEvents;
    readonly place: QueuePlace;
    readonly onNotice: (text: string) => void;
  }) {
    this.#redis = parts.redis;
    this.#queue = parts.queue;
    this.#events = parts.events;
    this.#place = parts.place;
    this.#onNotice = parts.onNotice;
    const wake = (): void => {
      for (const sleeper of this.#sleepers) sleeper();
      this.#sleepers.clear();
    };
    this.#events.on("completed", wake).on("failed", wake);
    // Who asks next is told; without a listener the process would end.
    this.#events.on("error", () => {});
    this.#queue.on("error", () => {});
  }

  get workers(): number {
    return this.#workers;
  }

  count(): Promise<void> {
    return this.#whileReachable(() => this.#countWorkers());
  }

  async deal(jobs: readonly Job[], { accept, signal }: DealOptions): Promise<void> {
    const call = `${this.#run}-${(this.#calls += 1)}`;
    const pending = new Map(jobs.map((_, index) => [index, { index, attempt: 0, failures: 0 }]));
    try {
      while (pending.size > 0) {
        signal?.throwIfAborted();
        // Before it is looked, so that nothing is missed.
        const woken = new Promise<void>((resolve) => this.#sleepers.add(resolve));
        await this.#whileReachable(async () => {
          await this.#redis.set(callKey(call), "", "EX", CALL_SECONDS);
          await this.#countWorkers();
          await Promise.all(
            Array.from(pending.values(), async (one) => {
              const answer = await this.#answerTo(one, { call, job: jobs[one.index]! });
              if (answer && this.#isTaken(one, answer, accept)) pending.delete(one.index);
            }),
          );
        });
        if (pending.size > 0) await eitherOf(woken, LOOK_MS, signal);
      }
    } finally {
      await this.#withdraw(call, pending.values());
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#events.close(), this.#queue.close()]);
    this.#redis.disconnect();
  }

  /** The answer to a job, if it has one by now; what is not in the queue is posted. */
  async #answerTo(one: Pending, data: PostedJob): Promise<unknown> {
    const jobId = idOf(data.call, one);
    const state = await this.#queue.getJobState(jobId);
    if (state === "unknown") {
      await this.#queue.add(data.job.kind, data, { jobId, removeOnComplete: { age: KEPT_SECONDS } });
    }
    if (state !== "completed" && state !== "failed") return undefined;
    const job = await this.#queue.getJob(jobId);
    await this.#queue.remove(jobId);
    if (state === "completed") return job?.returnvalue as unknown;
    return { kind: "failed", worker: "lost", why: String(job?.failedReason).slice(0, 200) };
  }

  /** Whether a job is done; otherwise it will be posted again. A UserError where it keeps failing. */
  #isTaken(one: Pending, data: unknown, accept: DealOptions["accept"]): boolean {
    one.attempt += 1;
    let who = "a worker";
    try {
      const answer: WorkerAnswer = answerOf(data);
      who = `worker ${printableLine(answer.worker)}`;
      if (answer.kind === "left") return false;
      if (answer.kind === "refused") {
        this.#sayOnce(`${who} was refused: ${printableLine(answer.why)}`);
        return false;
      }
      if (answer.kind === "failed") throw new UserError(printableLine(answer.why));
      accept(one.index, answer);
      return true;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      one.failures += 1;
      const text = `${who}: ${error.message}`;
      if (one.failures === MOST_FAILURES) {
        throw new UserError(`the same job failed ${MOST_FAILURES} times; at last by ${text}`);
      }
      this.#sayOnce(`${text}; its job is given out again`);
      return false;
    }
  }

  async #countWorkers(): Promise<void> {
    this.#workers = await this.#queue.getWorkersCount();
    const { redis, experiment } = this.#place;
    const now = performance.now();
    if (this.#workers > 0) this.#someoneAt = now;
    const text = `no worker is there for ${experiment}; start one with: evomerge worker <experiment> --redis ${redis.shown}`;
    if (now - this.#someoneAt > ALONE_MS) this.#sayOnce(text);
    else this.#said.delete(text);
  }

  /** Goes on later where Redis does not answer. */
  async #whileReachable(ask: () => Promise<void>): Promise<void> {
    try {
      await ask();
    } catch (error) {
      if (!(error instanceof Error) || error instanceof UserError) throw error;
      this.#sayOnce(`${this.#place.redis.shown}: ${printableLine(error.message)}; trying again`);
    }
  }

  /** Leaves nothing of a call to workers; what is being done ends when they find that nobody waits for it. */
  async #withdraw(call: string, left: Iterable<Pending>): Promise<void> {
    await Promise.allSettled([
      this.#redis.del(callKey(call)),
      ...Array.from(left, (one) => this.#queue.remove(idOf(call, one))),
    ]);
  }

  #sayOnce(text: string): void {
    if (this.#said.has(text)) return;
    this.#said.add(text);
    this.#onNotice(text);
  }
}

/** By this key a worker knows that somebody still waits for a call. */
export function callKey(call: string): string {
  return `evomerge-call-${call}`;
}

function idOf(call: string, { index, attempt }: Pending): string {
  return `${call}-${index}-${attempt}`;
}

/** Waits for the promise, so long at most; rejects with the signal's reason when that aborts. */
async function eitherOf(promise: Promise<void>, ms: number, signal: AbortSignal | undefined): Promise<void> {
  const over = new AbortController();
  const ends = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
  try {
    await Promise.race([promise, sleep(ms, undefined, { signal: ends })]);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    over.abort();
  }
}
