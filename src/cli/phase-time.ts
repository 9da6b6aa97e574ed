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

  /** Milliseconds left at the rate so far; undefined until there is something to tell it from. */
  leftMs(now: number): number | undefined {
    const done = this.share - this.#first.share;
    if (done < LEAST_SHARE) return undefined;
    const leftMs = ((1 - this.share) * (this.#last.at - this.#first.at)) / done - (now - this.#last.at);
    return Math.max(0, leftMs);
  }
}
