import { FileHashes } from "./hash-files.ts";
import type { MergeWork } from "./merge-work.ts";
import type { TaskResult, ThreadTask } from "./task.ts";

/** What one thread does, one task after the other. */
export class ThreadWork {
  readonly #hashes = new FileHashes();
  #merging: Promise<MergeWork> | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #isOver = false;

  do(task: ThreadTask): Promise<TaskResult> {
    const found = this.#last.then(() => {
      if (this.#isOver) throw new Error("merge: a thread ended before its task");
      return this.#found(task);
    });
    this.#last = found.catch(() => {});
    return found;
  }

  /** Loads what merges before the first task asks for it. */
  prepare(): void {
    // Who merges is told what keeps it from loading.
    this.#loaded().catch(() => {});
  }

  /** Waits for the task at hand, and does none of those behind it. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#last;
  }

  async #found(task: ThreadTask): Promise<TaskResult> {
    if (task.kind === "hash") return { sha256: await this.#hashes.add(task) };
    const work = await this.#loaded();
    if (task.kind === "learn") return { facts: await work.learn(task) };
    return { sum: await work.merge(task) };
  }

  #loaded(): Promise<MergeWork> {
    return (this.#merging ??= loadMerging());
  }
}

/** What merges is most of a thread's program, and the threads that hash never need it. */
async function loadMerging(): Promise<MergeWork> {
  const { MergeWork } = await import("./merge-work.ts");
  return new MergeWork();
}
