import { hostname } from "node:os";
import { UserError } from "../errors.ts";
import { ProcessLock } from "../lock/process-lock.ts";

/** The right to write to a run's folder, held by one process at a time. */
export class WriterLock implements Disposable {
  readonly #lock: ProcessLock;

  /** Takes the lock; a UserError when another process, or this one, holds it. */
  static acquire(folder: string): WriterLock {
    const lock = ProcessLock.tryAcquire(folder, "writer");
    if (lock instanceof ProcessLock) return new WriterLock(lock);
    const remedy = lock.host === hostname() ? "wait for it or stop it" : `if it has ended, delete ${lock.path}`;
    throw new UserError(`${folder} is in use by process ${lock.pid} on ${lock.host}; ${remedy}`);
  }

  private constructor(lock: ProcessLock) {
    this.#lock = lock;
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
