import { availableCores } from "../files/available-cores.ts";
import { eitherOf, type Hand, OwnHand, Thread } from "./hand.ts";

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
   * Starts those that merge so many bytes: `count`, or as many as there are cores, and none for a small merge. Who has begun
   * has the threads that it has.
   */
  begin(bytes: number, count = bytes < SMALL_BYTES ? 0 : availableCores()): void {
    if (this.#merging.length > 0 || count === 0) return;
    this.#merging = Array.from({ length: count }, () => new Thread("merging"));
  }

  /**
   * Those that merge once they do tasks, or this one alone where none was begun or one cannot be started. This one hashes,
   * as it has nothing else to do; of several files others, too, which start meanwhile. An abort ends all, and with them what they do.
   */
  async open(files: number, signal: AbortSignal | undefined): Promise<Hands> {
    signal?.throwIfAborted();
    const own = new OwnHand();
    const end = async (): Promise<void> => {
      signal?.removeEventListener("abort", abort);
      await Promise.all([own[Symbol.asyncDispose](), this[Symbol.asyncDispose]()]);
    };
    const abort = (): void => void end();
    signal?.addEventListener("abort", abort);
    const haveStarted = await Promise.all(this.#merging.map(({ started }) => started));
    // Threads take a while to start.
    if (signal?.aborted === true) await end();
    signal?.throwIfAborted();
    const merging = this.#merging;
    if (merging.length === 0 || !haveStarted.every(Boolean)) {
      await this[Symbol.asyncDispose]();
      return { merging: [own], hashing: [own], [Symbol.asyncDispose]: end };
    }
    const more = Math.min(files, Math.ceil(merging.length / 2)) - 1;
    this.#hashing = Array.from({ length: more }, () => new Thread("hashing"));
    const hashing = [own, ...this.#hashing.map((thread) => eitherOf(thread, own))];
    return { merging, hashing, [Symbol.asyncDispose]: end };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#merging, ...this.#hashing].map((thread) => thread[Symbol.asyncDispose]()));
  }
}
