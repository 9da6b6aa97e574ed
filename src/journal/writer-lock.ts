import { UserError } from "../errors.ts";
import { holderInWords, ProcessLock } from "../lock/process-lock.ts";

/** The right to write to a run's folder, held by one process at a time. */
export class WriterLock implements Disposable {
  readonly #lock: ProcessLock;

  /** Takes the lock; a UserError when another process, or this one, holds it. */
  static acquire(folder: string): WriterLock {
    const lock = ProcessLock.tryAcquire(folder, "writer");
    if (lock instanceof ProcessLock) return new WriterLock(lock);
    throw new UserError(`${folder} is in use by ${holderInWords(lock)}`);
  }

  private constructor(lock: ProcessLock) {
    this.#lock = lock;
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
