import { duration } from "../report/duration.ts";

/** Of a phase, before what is left of it is told from it. */
const LEAST_SHARE = 0.02;

/** How long a phase goes on, by the share of it that is done. */
export class PhaseTime {
  readonly name: string;
  readonly #first: { readonly share: number; readonly at: number };
  #last: { readonly share: number; readonly at: number };

  /** `share` of it may have been done before; `now` in milliseconds. */
  constructor(name: string, share: number, now: number) {
    this.name = name;
    this.#first = { share, at: now };
    this.#last = this.#first;
  }

  get share(): number {
    return this.#last.share;
  }

  reach(share: number, now: number): void {
    this.#last = { share, at: now };
  }

  /** Phase, share and, once there is something to tell it from, the time left at the rate so far. */
  text(now: number): string {
    const percent = `${this.name} ${Math.round(100 * this.share)} %`;
    const done = this.share - this.#first.share;
    const isKnown = done >= LEAST_SHARE && this.share < 1;
    if (!isKnown) return percent;
    const leftMs = ((1 - this.share) * (this.#last.at - this.#first.at)) / done - (now - this.#last.at);
    return leftMs < 500 ? percent : `${percent}, about ${duration(leftMs)} to go`;
  }
}
