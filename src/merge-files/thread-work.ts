import { KernelRunner } from "./kernel-runner.ts";
import { mergeWeight } from "./merge-weight.ts";
import { FilesReadBack } from "./read-back.ts";
import type { TaskResult, ThreadTask } from "./task.ts";

/** What one thread does, one task after the other. */
export class ThreadWork {
  readonly #runner = new KernelRunner();
  readonly #files = new FilesReadBack();
  #last: Promise<unknown> = Promise.resolve();

  do(task: ThreadTask): Promise<TaskResult> {
    const found = this.#last.then(() =>
      task.kind === "merge" ? mergeWeight(task, this.#runner) : this.#files.read(task),
    );
    this.#last = found.catch(() => {});
    return found;
  }
}
