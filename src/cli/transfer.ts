import { bytesText } from "../files/bytes-text.ts";
import { duration } from "../report/duration.ts";

/** The rate is measured over this long, so that a stall shows soon and a burst does not. */
const WINDOW_MS = 10_000;
const BAR_WIDTH = 24;

/** A transfer as one line: a bar, bytes, rate and the time left at that rate. */
export class Transfer {
  readonly #what: string;
  readonly #samples: { readonly at: number; readonly bytes: number }[] = [];

  /** `what` begins the line: fetching, merging or pushing. */
  constructor(what: string) {
    this.#what = what;
  }

  /** The line after `doneBytes` of `totalBytes`; `now` in milliseconds. */
  line(doneBytes: number, totalBytes: number, now: number): string {
    const rate = this.#bytesPerSecond(doneBytes, now);
    const share = totalBytes === 0 ? 1 : doneBytes / totalBytes;
    const bar = "=".repeat(Math.round(share * BAR_WIDTH)).padEnd(BAR_WIDTH);
    const left = rate > 0 ? `, ${duration((1000 * (totalBytes - doneBytes)) / rate)} left` : "";
    return `${this.#what} [${bar}] ${Math.floor(100 * share)} %, ${bytesText(doneBytes)} of ${bytesText(totalBytes)}, ${bytesText(rate)}/s${left}`;
  }

  #bytesPerSecond(bytes: number, now: number): number {
    const samples = this.#samples;
    samples.push({ at: now, bytes });
    while (samples.length > 2 && (samples[0]?.at ?? now) < now - WINDOW_MS) samples.shift();
    const [first = { at: now, bytes }] = samples;
    return now > first.at ? (1000 * (bytes - first.bytes)) / (now - first.at) : 0;
  }
}
