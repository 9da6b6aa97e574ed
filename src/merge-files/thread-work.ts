import { FileHashes } from "./hash-files.ts";
import { KernelRunner } from "./kernel-runner.ts";
import { mergeWeight } from "./merge-weight.ts";
import type { TaskResult, ThreadTask } from "./task.ts";

/** What one thread does, one task after the other. */
export class ThreadWork {
  readonly #runner = new KernelRunner();
  readonly #hashes = new FileHashes();
  #last: Promise<unknown> = Promise.resolve();

  do(task: ThreadTask): Promise<TaskResult> {
    const found = this.#last.then(async () => {
      if (task.kind === "hash") return this.#hashes.add(task);
      await mergeWeight(task, this.#runner);
      return undefined;
    });
    this.#last = found.catch(() => {});
    return found;
  }
}
