import { Worker } from "node:worker_threads";
import { childProgram } from "../files/child-program.ts";
import type { ThreadAnswer, ThreadKind } from "./merge-worker.ts";
import type { TaskResult, ThreadTask } from "./task.ts";
import { errorOf } from "./thread-fault.ts";
import { ThreadWork } from "./thread-work.ts";

/** Does tasks one after the other. */
export interface Hand extends AsyncDisposable {
  readonly pending: number;
  do(task: ThreadTask): Promise<TaskResult>;
}

/** The thread that asks, which stays free for other events between pieces. */
export class OwnHand implements Hand {
  readonly #work = new ThreadWork();
  pending = 0;

  do(task: ThreadTask): Promise<TaskResult> {
    return this.#work.do(task);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#work.end();
  }
}

/** A thread of its own, which starts at once. */
export class Thread implements Hand {
  /** Whether it does tasks; not where it cannot be started, as where there is no memory for it. */
  readonly started: Promise<boolean>;
  readonly #worker: Worker | undefined;
  readonly #waiting = new Map<number, { resolve: (found: TaskResult) => void; reject: (reason: Error) => void }>();
  #tasks = 0;
  #isOver = false;

  constructor(kind: ThreadKind) {
    const worker = tryToStart(kind);
    this.#worker = worker;
    this.started = new Promise((resolve) => {
      if (!worker) return resolve(false);
      worker.once("message", () => {
        worker.on("message", (answer: ThreadAnswer) => this.#settle(answer));
        resolve(true);
      });
      const end = (error: Error): void => {
        this.#rejectAll(error);
        resolve(false);
      };
      worker.on("error", end);
      worker.on("exit", () => end(ended()));
    });
  }

  get pending(): number {
    return this.#waiting.size;
  }

  do(task: ThreadTask): Promise<TaskResult> {
    if (this.#isOver) return Promise.reject(ended());
    return new Promise((resolve, reject) => {
      const id = this.#tasks++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker?.postMessage({ id, task });
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await this.#worker?.terminate();
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

/** A thread that may still be starting, or where it cannot be started, another hand. */
export function eitherOf(thread: Thread, other: Hand): Hand {
  return {
    get pending() {
      return thread.pending;
    },
    async do(task) {
      return ((await thread.started) ? thread : other).do(task);
    },
    [Symbol.asyncDispose]: () => thread[Symbol.asyncDispose](),
  };
}

/** Undefined where the system has no thread to give. */
function tryToStart(kind: ThreadKind): Worker | undefined {
  const { path, execArgv } = childProgram("merging");
  try {
    return new Worker(path, { execArgv, workerData: kind });
  } catch {
    return undefined;
  }
}

function ended(): Error {
  return new Error("merge: a thread ended before its task");
}
