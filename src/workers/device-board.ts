import { UserError } from "../errors.ts";
import { printableLine } from "../files/printable.ts";
import type { WorkerAnswer } from "./answers.ts";
import { DeviceChild, type DeviceHand } from "./device-child.ts";
import type { Job } from "./jobs.ts";
import type { Dealer, DealOptions } from "./remote-scorer.ts";

export interface DeviceBoardOptions {
  /** The run's own process, on the first device. What it fails at ends the run, as it does without others. */
  readonly own: DeviceHand;
  /** The others, which may come to their end: their jobs are then done by whoever is idle next. */
  readonly children: readonly DeviceChild[];
  readonly onNotice: (text: string) => void;
}

/** Has jobs done on the devices of this machine, each by the one that is idle first. */
export class DeviceBoard implements Dealer, AsyncDisposable {
  readonly #children: Set<DeviceChild>;
  readonly #idle: DeviceHand[];
  /** Jobs that wait for somebody, in their order. */
  readonly #waiting = new Set<(hand: DeviceHand) => void>();
  readonly #onNotice: (text: string) => void;
  #isOver = false;

  constructor({ own, children, onNotice }: DeviceBoardOptions) {
    this.#children = new Set(children);
    this.#idle = [own];
    this.#onNotice = onNotice;
    for (const child of children) {
      child.opened.then(
        () => this.#rest(child),
        (error: unknown) => this.#lose(child, error),
      );
    }
  }

  /** Those that are about to open their device among them. */
  get workers(): number {
    return 1 + this.#children.size;
  }

  /** It always knows. */
  async count(): Promise<void> {}

  async deal(jobs: readonly Job[], { accept, signal }: DealOptions): Promise<void> {
    const over = new AbortController();
    const ends = signal ? AbortSignal.any([signal, over.signal]) : over.signal;
    const done = jobs.map(async (job, index) => {
      try {
        await this.#do(job, ends, (answer) => accept(index, answer));
      } catch (error) {
        // The others end too; the first reason is the one that counts.
        over.abort(error);
      }
    });
    await Promise.all(done);
    ends.throwIfAborted();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isOver = true;
    await Promise.all(Array.from(this.#children, (child) => child[Symbol.asyncDispose]()));
  }

  async #do(job: Job, ends: AbortSignal, accept: (answer: WorkerAnswer) => void): Promise<void> {
    for (;;) {
      const hand = await this.#nextIdle(ends);
      try {
        accept(await hand.answer(job, ends));
        this.#rest(hand);
        return;
      } catch (error) {
        const isAnothers = hand instanceof DeviceChild && error instanceof UserError && !ends.aborted;
        if (!isAnothers) {
          this.#rest(hand);
          throw error;
        }
        this.#lose(hand, error);
      }
    }
  }

  #nextIdle(ends: AbortSignal): Promise<DeviceHand> {
    ends.throwIfAborted();
    const idle = this.#idle.shift();
    if (idle) return Promise.resolve(idle);
    return new Promise((resolve, reject) => {
      const give = (hand: DeviceHand): void => {
        ends.removeEventListener("abort", leave);
        resolve(hand);
      };
      const leave = (): void => {
        this.#waiting.delete(give);
        reject(ends.reason as Error);
      };
      ends.addEventListener("abort", leave, { once: true });
      this.#waiting.add(give);
    });
  }

  /** It takes the job that has waited longest. */
  #rest(hand: DeviceHand): void {
    const [next] = this.#waiting;
    if (!next) return void this.#idle.push(hand);
    this.#waiting.delete(next);
    next(hand);
  }

  #lose(child: DeviceChild, error: unknown): void {
    this.#children.delete(child);
    void child[Symbol.asyncDispose]();
    if (this.#isOver) return;
    const why = error instanceof Error ? error.message : "unknown";
    this.#onNotice(`${child.name}: ${printableLine(why)}; the run goes on without it`);
  }
}
