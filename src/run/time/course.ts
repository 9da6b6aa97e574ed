import type { WorkTime } from "../../evaluate/pace.ts";

/** Part of a scoring, behind its first stage, from which on its time tells what the rest takes. */
const TELLING = 1 / 4;

/** So much of a scoring's progress is so much of its time. */
interface Mark {
  readonly share: number;
  readonly time: number;
}

const BEGIN: Mark = { share: 0, time: 0 };
const END: Mark = { share: 1, time: 1 };

/** A scoring that was so many times slower than the steadiest one was not as fast at its end as at its beginning. */
const STEADY = 1.1;

/** How scorings of a run come along: stages are not alike, and which part of the time each takes is seen on those that ended. */
export class UsualCourse {
  #slowness = Infinity;
  #marks: readonly Mark[] = [];

  /** Whether any ended. */
  get isKnown(): boolean {
    return this.#marks.length > 0;
  }

  /** The part of its time that a scoring has taken which tells this share of progress. */
  readonly timeAt = (share: number): number => {
    const from = this.#marks.findLast((mark) => mark.share < share) ?? BEGIN;
    const to = this.#marks.find((mark) => mark.share >= share) ?? END;
    return from.time + ((share - from.share) / (to.share - from.share)) * (to.time - from.time);
  };

  /** Learns from a scoring that ended, which told these shares at these times after its beginning, and was so many times slower than usual. */
  ended(told: readonly { readonly share: number; readonly ms: number }[], slowness: number): void {
    const wholeMs = told.at(-1)?.ms ?? 0;
    if (wholeMs <= 0 || told.at(-1)?.share !== 1 || slowness > STEADY * this.#slowness) return;
    this.#slowness = Math.min(slowness, this.#slowness);
    this.#marks = told.map(({ share, ms }) => ({ share, time: ms / wholeMs }));
  }
}

/** How far a scoring under way has come, and when. */
export class Course {
  readonly #usual: UsualCourse;
  readonly #now: () => number;
  readonly #began: number;
  readonly #told: { readonly share: number; readonly done: number; readonly ms: number }[] = [];

  constructor(usual: UsualCourse, now: () => number) {
    this.#usual = usual;
    this.#now = now;
    this.#began = now();
  }

  /** Told a share of its progress; says what the whole takes if the rest goes on as fast as all so far or its later half, 0 as long as nobody knows. */
  reach(share: number): number {
    const done = this.#usual.timeAt(share);
    const ms = this.#now() - this.#began;
    this.#told.push({ share, done, ms });
    const [first] = this.#told;
    if (!first || !this.#usual.isKnown || done - first.done < TELLING) return 0;
    const middle = this.#told.findLast((mark) => mark.done <= (first.done + done) / 2) ?? first;
    // A machine that stood still for a moment goes on.
    const paces = [first, middle].map((mark) => (ms - mark.ms) / (done - mark.done));
    return ms + (1 - done) * Math.min(...paces);
  }

  /** It ended, scored from its beginning. */
  end(slowness: number): void {
    this.#usual.ended(this.#told, slowness);
  }

  /** Of some work what is done, and its time; all of it, which takes that much at least, where no part is known. */
  done({ models, tokens }: Pick<WorkTime, "models" | "tokens">): Pick<WorkTime, "models" | "tokens" | "passes" | "ms"> {
    const [first, last] = [this.#told[0], this.#told.at(-1)];
    const ms = this.#now() - this.#began;
    const part = first && last ? last.done - first.done : 0;
    if (!first || !this.#usual.isKnown || part < TELLING) return { models, tokens, passes: 1, ms };
    return { models, tokens: part * tokens, passes: part, ms: ms - first.ms };
  }
}
