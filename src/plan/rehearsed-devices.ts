import pLimit from "p-limit";
import { LaneClock } from "../device/rehearsal/lane-clock.ts";
import type { RehearsalDevice } from "../device/rehearsal/rehearsal-device.ts";
import type { Elsewhere } from "../experiment/workspace.ts";
import type { Numbers } from "../workers/answers.ts";
import { numbersFor, type Scoring } from "../workers/answer-job.ts";
import type { Job } from "../workers/jobs.ts";
import { type Dealer, type DealOptions, RemoteScorer } from "../workers/remote-scorer.ts";

/**
 * Several devices that are alike, of which one is rehearsed: it does the jobs of all, one after the other, and what these take side
 * by side is told by a clock of their own. Of a single one that is the clock of the device.
 */
export class RehearsedDevices {
  readonly count: number;
  readonly #device: RehearsalDevice;
  readonly #turn = pLimit(1);
  #deals = 0;
  /** Milliseconds of each job of the deals that are under way. */
  #tookMs: number[] = [];
  /** What was saved so far by working side by side. */
  #savedMs = 0;

  constructor(device: RehearsalDevice, count: number) {
    this.#device = device;
    this.count = count;
  }

  /** Milliseconds; right while no job is under way. */
  readonly now = (): number => this.#device.clock.now() - this.#savedMs;

  /** What scores in place of the one device. */
  elsewhere(why: string): Elsewhere {
    return {
      engine: this.#device,
      why,
      scorer: (use, batchTokens, parents, own) => {
        const scoring = { model: parents.model, scorer: own };
        const deal: Dealer["deal"] = (jobs, dealt) => this.#deal(jobs, scoring, dealt);
        const options = { use, batchTokens, parents, isMixed: false, now: this.now, read: async () => {} };
        return new RemoteScorer({ workers: this.count, count: async () => {}, deal }, options);
      },
    };
  }

  async #deal(jobs: readonly Job[], scoring: Scoring, { accept, signal }: DealOptions): Promise<void> {
    this.#deals += 1;
    try {
      const answers: Numbers[] = [];
      for (const job of jobs) {
        if (job.kind === "join") throw new Error("plan: nobody is asked who is there");
        const numbers = await this.#turn(() =>
          this.#timed(() => numbersFor(scoring, job, signal ?? new AbortController().signal)),
        );
        answers.push(numbers);
      }
      // At one time, as those of devices that are alike.
      for (const [index, numbers] of answers.entries()) {
        accept(index, { worker: `device ${index % this.count}`, kind: "numbers", ...numbers });
      }
    } finally {
      this.#deals -= 1;
      if (this.#deals === 0) this.#putSideBySide();
    }
  }

  async #timed<T>(work: () => Promise<T>): Promise<T> {
    const { clock } = this.#device;
    this.#device.settle();
    const began = clock.now();
    const result = await work();
    this.#device.settle();
    this.#tookMs.push(clock.now() - began);
    return result;
  }

  /** Each job is begun by the device that is idle first. */
  #putSideBySide(): void {
    const sideBySide = new LaneClock(this.count);
    for (const ms of this.#tookMs) sideBySide.begin(ms);
    for (const _ of this.#tookMs) sideBySide.end();
    this.#savedMs += this.#tookMs.reduce((sum, ms) => sum + ms, 0) - sideBySide.now();
    this.#tookMs = [];
  }
}
