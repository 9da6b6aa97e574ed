import { FileHashes } from "./hash-files.ts";
import type { MergeTask, TaskResult, ThreadTask } from "./task.ts";

type Merge = (task: MergeTask) => Promise<void>;

/** What one thread does, one task after the other. */
export class ThreadWork {
  #merge: Merge | undefined;
  readonly #hashes = new FileHashes();
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  do(task: ThreadTask): Promise<TaskResult> {
    const found = this.#last.then(async () => {
      if (this.#isOver) throw new Error("merge: a thread ended before its task");
      if (task.kind === "hash") return this.#hashes.add(task);
      this.#merge ??= await loadMerging();
      await this.#merge(task);
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

/** Merges with kernels in one memory. A thread that hashes needs none of this, and starts in two thirds of the time. */
async function loadMerging(): Promise<Merge> {
  const [{ KernelRunner }, { mergeWeight }] = await Promise.all([
    import("./kernel-runner.ts"),
    import("./merge-weight.ts"),
  ]);
  const runner = new KernelRunner();
  return (task) => mergeWeight(task, runner);
}
