import { availableParallelism } from "node:os";
import { type Hand, OwnHand, Thread } from "./hand.ts";

/** A merge that writes less is done before threads have begun. */
const SMALL_BYTES = 2 ** 26;

/** Who merges and who hashes files: threads for all cores, or this one alone, with the same bits. */
export interface Hands extends AsyncDisposable {
  readonly merging: readonly Hand[];
  readonly hashing: readonly Hand[];
}

/**
 * The threads of one merge, which end with this. Who opens its models starts them as soon as it is seen to be large: they load
 * their program while it is planned.
 */
export class MergeThreads implements AsyncDisposable {
  #merging: readonly Thread[] = [];
  #hashing: readonly Thread[] = [];

  /**
   * Starts those that merge so many bytes: `count`, or as many as there are cores, and none for a small merge. One of each
   * merge hashes; who has begun has the threads that it has.
   */
  begin(bytes: number, count = bytes < SMALL_BYTES ? 0 : availableParallelism()): void {
    if (this.#merging.length > 0 || count === 0) return;
    this.#merging = Array.from({ length: count }, () => new Thread("merging"));
    this.#hashing = [new Thread("hashing")];
  }

  /** All threads once they do tasks, or this one alone where none was begun or one cannot be started. An abort ends them, and with them what they do. */
  async open(files: number, signal: AbortSignal | undefined): Promise<Hands> {
    signal?.throwIfAborted();
    const more = Math.min(files, Math.ceil(this.#merging.length / 2)) - this.#hashing.length;
    for (let i = 0; i < more; i += 1) this.#hashing = [...this.#hashing, new Thread("hashing")];
    const own = new OwnHand();
    const end = async (): Promise<void> => {
      signal?.removeEventListener("abort", abort);
      await Promise.all([own[Symbol.asyncDispose](), this[Symbol.asyncDispose]()]);
    };
    const abort = (): void => void end();
    signal?.addEventListener("abort", abort);
    const haveStarted = await Promise.all(this.#all.map(({ started }) => started));
    // Threads take a while to start.
    if (signal?.aborted === true) await end();
    signal?.throwIfAborted();
    const [merging, hashing] = [this.#merging, this.#hashing];
    if (merging.length > 0 && haveStarted.every(Boolean)) return { merging, hashing, [Symbol.asyncDispose]: end };
    await this[Symbol.asyncDispose]();
    return { merging: [own], hashing: [own], [Symbol.asyncDispose]: end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#all.map((thread) => thread[Symbol.asyncDispose]()));
  }

  get #all(): readonly Thread[] {
    return [...this.#merging, ...this.#hashing];
  }
}
