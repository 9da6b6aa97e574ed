import { availableParallelism } from "node:os";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { UserError } from "../errors.ts";
import { childProgram } from "../files/child-program.ts";
import type { ThreadAnswer, ThreadFault } from "./merge-worker.ts";
import type { TaskResult, ThreadTask } from "./task.ts";
import { ThreadWork } from "./thread-work.ts";

/** A merge that writes less is done before threads have begun. */
const SMALL_BYTES = 2 ** 26;

/** Does tasks one after the other. */
export interface Hand extends AsyncDisposable {
  readonly pending: number;
  do(task: ThreadTask): Promise<TaskResult>;
}

/** Who merges and who hashes files: threads for all cores, or this one alone, with the same bits. */
export interface Hands extends AsyncDisposable {
  readonly merging: readonly Hand[];
  readonly hashing: readonly Hand[];
}

/** What a merge asks for. */
interface Wanted {
  /** How many threads merge: as many as pay where it is not given, and this one alone for 0. */
  readonly threads: number | undefined;
  /** What it writes. */
  readonly bytes: number;
  readonly files: number;
  readonly signal: AbortSignal | undefined;
}

/** Starts the threads of a merge; an abort ends them, and with them what they do. */
export async function openHands({ threads, bytes, files, signal }: Wanted): Promise<Hands> {
  signal?.throwIfAborted();
  const cores = availableParallelism();
  const count = threads ?? (bytes < SMALL_BYTES ? 0 : cores);
  const hashers = Math.min(files, Math.ceil(count / 2));
  const started = count === 0 ? [] : await startThreads(count + hashers);
  const all = started.length > 0 ? started : [new OwnHand()];
  const end = async (): Promise<void> => {
    signal?.removeEventListener("abort", abort);
    await Promise.all(all.map((hand) => hand[Symbol.asyncDispose]()));
  };
  const abort = (): void => void end();
  signal?.addEventListener("abort", abort);
  // Threads take a while to start.
  if (signal?.aborted === true) await end();
  signal?.throwIfAborted();
  if (started.length === 0) return { merging: all, hashing: all, [Symbol.asyncDispose]: end };
  return { merging: started.slice(0, count), hashing: started.slice(count), [Symbol.asyncDispose]: end };
}

/** All of them, or none where one cannot be started, as where there is no memory for it. */
async function startThreads(count: number): Promise<readonly Hand[]> {
  const starting = await Promise.allSettled(Array.from({ length: count }, () => Thread.start()));
  const threads = starting.flatMap((start) => (start.status === "fulfilled" ? [start.value] : []));
  if (threads.length === count) return threads;
  await Promise.all(threads.map((thread) => thread[Symbol.asyncDispose]()));
  return [];
}

/** The thread that asks, which stays free for other events between pieces. */
class OwnHand implements Hand {
  readonly #work = new ThreadWork();
  pending = 0;

  do(task: ThreadTask): Promise<TaskResult> {
    return this.#work.do(task);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#work.end();
  }
}

class Thread implements Hand {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, { resolve: (found: TaskResult) => void; reject: (reason: Error) => void }>();
  #tasks = 0;
  #isOver = false;

  static async start(): Promise<Thread> {
    const { path, execArgv } = childProgram("merging");
    const worker = new Worker(path, { execArgv });
    await once(worker, "message");
    return new Thread(worker);
  }

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (answer: ThreadAnswer) => this.#settle(answer));
    worker.on("error", (error) => this.#rejectAll(error));
    worker.on("exit", () => this.#rejectAll(ended()));
  }

  get pending(): number {
    return this.#waiting.size;
  }

  do(task: ThreadTask): Promise<TaskResult> {
    if (this.#isOver) return Promise.reject(ended());
    return new Promise((resolve, reject) => {
      const id = this.#tasks++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage({ id, task });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#worker.terminate();
  }

  #settle(answer: ThreadAnswer): void {
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    if ("found" in answer) waiting?.resolve(answer.found);
    else waiting?.reject(errorOf(answer.fault));
  }

  #rejectAll(error: Error): void {
    this.#isOver = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

function errorOf({ isExpected, message, code }: ThreadFault): Error {
  if (isExpected) return new UserError(message);
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

function ended(): Error {
  return new Error("merge: a thread ended before its task");
}
