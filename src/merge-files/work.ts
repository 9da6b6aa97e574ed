import { KernelRunner } from "./kernel-runner.ts";
import { mergeWeight } from "./merge-weight.ts";
import { FilesReadBack } from "./read-back.ts";
import type { Found, Task } from "./task.ts";

/** What one thread does, one task after the other. */
export class Work {
  readonly #runner = new KernelRunner();
  readonly #files = new FilesReadBack();
  #last: Promise<unknown> = Promise.resolve();

  do(task: Task): Promise<Found> {
    const found = this.#last.then(() =>
      task.kind === "merge" ? mergeWeight(task, this.#runner) : this.#files.read(task),
    );
    this.#last = found.catch(() => {});
    return found;
  }
}
