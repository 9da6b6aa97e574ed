import { FileHashes } from "./hash-files.ts";
import { KernelRunner } from "./kernel-runner.ts";
import { mergeWeight } from "./merge-weight.ts";
import type { TaskResult, ThreadTask } from "./task.ts";

/** What one thread does, one task after the other. */
export class ThreadWork {
  readonly #runner = new KernelRunner();
  readonly #hashes = new FileHashes();
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  do(task: ThreadTask): Promise<TaskResult> {
    const found = this.#last.then(async () => {
      if (this.#isOver) throw new Error("merge: a thread ended before its task");
      if (task.kind === "hash") return this.#hashes.add(task);
      await mergeWeight(task, this.#runner);
      return undefined;
    });
    this.#last = found.catch(() => {});
    return found;
  }

  /** Waits for the task at hand, and does none of those behind it. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#last;
  }
}
