import { UserError } from "../errors.ts";
import { holderInWords, isKnownToRun, ProcessLock } from "../lock/process-lock.ts";

const NAME = "writer";

/** Who writes to a run's folder, as it is known from here. */
export interface Writer {
  /** Absent where the lock's file does not tell. */
  readonly pid?: number;
  readonly host?: string;
  /** Whether it is known to run, and not only not known to have ended. */
  readonly isSeen: boolean;
  /** Who it is and what to do about it, to be put after "is in use by". */
  readonly inWords: string;
}

/** The right to write to a run's folder, held by one process at a time. */
export class WriterLock implements Disposable {
  readonly #lock: ProcessLock;

  /** Takes the lock; a UserError when another process, or this one, holds it. */
  static acquire(folder: string): WriterLock {
    const lock = ProcessLock.tryAcquire(folder, NAME);
    if (lock instanceof ProcessLock) return new WriterLock(lock);
    throw new UserError(`${folder} is in use by ${holderInWords(lock)}`);
  }

  /** Who holds the lock, or may hold it; takes nothing and writes nothing. */
  static holder(folder: string): Writer | undefined {
    const claim = ProcessLock.holderOf(folder, NAME);
    if (!claim) return undefined;
    const { pid, host } = claim;
    return {
      ...(pid !== undefined && { pid, host }),
      isSeen: isKnownToRun(claim),
      inWords: holderInWords(claim),
    };
  }

  private constructor(lock: ProcessLock) {
    this.#lock = lock;
  }

  [Symbol.dispose](): void {
    this.#lock[Symbol.dispose]();
  }
}
